// The wording of the three commit-report prompts, apart from how the evidence is fitted in.
#pragma once
#include <string_view>

#include "core/report/prompt.h"

namespace stepper::report {

struct Wording {
    std::string_view system;
    std::string_view task;  // closes the user message, after the evidence
};

const Wording& wordingFor(Variant variant);

}  // namespace stepper::report
