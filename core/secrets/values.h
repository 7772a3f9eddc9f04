// Whether what is assigned to a secret's name is a secret: a literal, and not code, a placeholder or a path.
#pragma once
#include "core/secrets/names.h"

namespace stepper::secrets {

// How a value is written decides how much evidence it takes.
enum class Form {
    Literal,  // quoted, or the rest of a line or of a shell, query or YAML entry
    Bare,     // could as well be an expression of some language
};

bool looksSecret(std::string_view value, Form form, const NameRule& name);
// The password of a URL or of a command's user:password.
bool looksPassword(std::string_view value);

}  // namespace stepper::secrets
