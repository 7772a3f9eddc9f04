#include "core/base/error.h"

#include <array>

#include "core/base/text.h"

namespace stepper {
namespace {
constexpr std::array<std::string_view, 17> kNames = {
    "OK",           "INVALID_REQUEST", "CONTEXT_TOO_LONG", "CONTENT_BLOCKED", "AUTH",      "MODEL_NOT_FOUND",
    "RATE_LIMITED", "QUOTA",           "OVERLOADED",       "UPSTREAM",        "TRANSPORT", "TIMEOUT",
    "BAD_RESPONSE", "UNSUPPORTED",     "CANCELLED",        "CONFIG",          "INTERNAL"};
}  // namespace

std::string_view name(ErrorClass c) { return kNames[static_cast<size_t>(c)]; }

std::optional<ErrorClass> errorClassOf(std::string_view text) {
    for (size_t i = 1; i < kNames.size(); ++i)
        if (equalsIgnoreCase(text, kNames[i])) return static_cast<ErrorClass>(i);
    return std::nullopt;
}

ErrorClass errorClassOf(int32_t abi_value) {
    if (abi_value < 1 || abi_value >= static_cast<int32_t>(kNames.size())) return ErrorClass::Internal;
    return static_cast<ErrorClass>(abi_value);
}

}  // namespace stepper
