#include "core/config/kinds.h"

namespace stepper::config {

std::string inYaml(const json::Value& value) {
    if (!value.IsString()) return json::dump(value);
    const std::string_view text = json::view(value);
    const bool plain =
        !text.empty() && !text.ends_with(':') && text != "null" &&
        std::ranges::all_of(text, [](unsigned char c) {
            return std::isalnum(c) || std::string_view("./:_-").find(c) != std::string_view::npos;
        });
    return plain ? std::string(text) : json::dump(value);
}

}  // namespace stepper::config
