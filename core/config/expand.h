// ${NAME} and ${NAME:-default} inside a text. Pure.
#pragma once
#include <string>
#include <string_view>

#include "core/config/config.h"

namespace stepper::config {

struct Expanded {
    std::string text;
    std::string unset;    // the first variable that is not set and has no default; it counted as empty
    std::string problem;  // the text is malformed, and this is what to write
};

// ${NAME:-default} takes the default when NAME is unset or empty; $$ is a dollar sign, and so is any other $.
Expanded expand(std::string_view text, const Environment& env);

// The first variable the text names, or empty.
std::string firstVariable(std::string_view text);

}  // namespace stepper::config
