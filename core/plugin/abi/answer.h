// What a provider answered, whole. A plain value.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace stepper::plugin {

// Tokens as the provider counted them; what it did not say stays empty.
struct Tokens {
    std::optional<int64_t> prompt, completion, total, reasoning, cached;
    bool any() const { return prompt || completion || total || reasoning || cached; }
};

struct Answer {
    std::string text, reasoning;
    std::string finish;  // stop | length | tool_calls | content_filter | error | other, "" when never said
    Tokens usage;
    std::string model, response_id;  // as the provider reported them
    std::vector<std::string> warnings;
    json::Document tool_calls{rapidjson::kArrayType};
    json::Document meta{rapidjson::kObjectType};  // the latest value of every member
};

}  // namespace stepper::plugin
