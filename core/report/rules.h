// What a report must look like, for a model and for the fallback alike. Lengths in code points.
#pragma once
#include <cstddef>

namespace stepper::report {

struct Rules {
    struct Range {
        size_t min, max;
    };
    static constexpr Range kTitle{10, 120};
    static constexpr Range kSummary{50, 2000};
    static constexpr Range kChanges{1, 50};
    static constexpr Range kNextSteps{0, 20};
    static constexpr Range kProse{20, 2000};  // rationale, impact_and_tests
    static constexpr size_t kMinItem = 5;     // of a change, of a next step
    static constexpr size_t kMaxTags = 200;   // comma separated, no empty tag
};

}  // namespace stepper::report
