// What a fuzzed provider answers: statuses, headers and bodies, odd and mutated, from one seed. Pure; one
// thread.
#pragma once
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/transport/transport.h"

namespace stepper::plugin {

class FuzzInput {
public:
    // `corpus`: bodies to mutate, beside the built-in ones. Must outlive this. The same seed and corpus give
    // the same answers to the same questions.
    FuzzInput(uint64_t seed, const std::vector<std::string>& corpus) : random_(seed), corpus_(corpus) {}

    // True in `percent` of all cases.
    bool chance(unsigned percent) { return below(100) < percent; }
    size_t below(size_t n) { return static_cast<size_t>(random_() % n); }

    std::string request();  // a JSON object that is more or less a chat request
    int status();           // 200 in most cases, otherwise 201 to 999
    transport::Headers headers();
    std::string body();       // at most 512 KiB
    std::string eventName();  // of an SSE event

private:
    template <class List>
    const auto& pick(const List& list) {
        return list[below(std::size(list))];
    }
    std::string json(int depth);
    std::string member(int depth);
    std::string sample();
    std::string mutated(std::string text);
    std::string garbage(size_t bytes);
    std::string huge();

    std::mt19937_64 random_;
    const std::vector<std::string>& corpus_;
};

}  // namespace stepper::plugin
