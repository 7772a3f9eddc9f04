// The one list of error classes and the one error type. A class says what can be done about an error; the
// numbers are those of the plugin ABI (sdk/include/stepper/plugin_abi.h), so no second list exists.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stepper {

enum class ErrorClass : int32_t {
    InvalidRequest = 1,
    ContextTooLong = 2,
    ContentBlocked = 3,
    Auth = 4,
    ModelNotFound = 5,
    RateLimited = 6,
    Quota = 7,
    Overloaded = 8,
    Upstream = 9,
    Transport = 10,
    Timeout = 11,
    BadResponse = 12,
    Unsupported = 13,
    Cancelled = 14,
    Config = 15,
    Internal = 16,
};

// "RATE_LIMITED" and so on: the ABI's names without their prefix.
std::string_view name(ErrorClass c);
// The class of that name (any case), if there is one.
std::optional<ErrorClass> errorClassOf(std::string_view name);
// The class of an ABI number; unknown numbers are Internal.
ErrorClass errorClassOf(int32_t abi_value);

// `message` is complete by itself: what failed, on what, why, what to do. It never holds a secret.
struct Error {
    ErrorClass error_class = ErrorClass::Internal;
    std::string message;
    std::optional<std::chrono::milliseconds> retry_after = {};
    int http_status = 0;             // upstream's, 0 when there was none
    std::string provider_code = {};  // upstream's own name for it
};

}  // namespace stepper
