// A JSON value with {{placeholders}}, and what a chat request puts in their place.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "block.hpp"
#include "stepper/kit/chat.hpp"

namespace http_template {

// Throws ConfigError naming `option` when a placeholder is unknown or has no end.
void checkPlaceholders(const Value& tmpl, std::string_view option);

// True when {{name}} is somewhere in it.
bool mentions(const Value& tmpl, std::string_view name);

// An object with a member for every placeholder the request has a value for. `system_apart`: the messages and
// the prompt leave the system text out.
Document valuesOf(const kit::ChatRequest& chat, bool system_apart);

// A string that is one placeholder becomes its value, of any type; inside a longer string it becomes text.
// nullopt when that value is missing, and so is the member or item it would have been.
std::optional<Value> filledIn(const Value& tmpl, const Value& values, kit::Allocator& a);

// The placeholders of a text replaced; in a URL, percent-encoded but for slashes.
std::string filledInText(std::string_view tmpl, const Value& values);
std::string filledInPath(std::string_view tmpl, const Value& values);

}  // namespace http_template
