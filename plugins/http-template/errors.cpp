#include "errors.hpp"

#include <charconv>
#include <utility>

namespace http_template {
namespace {

constexpr std::pair<std::string_view, int32_t> kClasses[] = {
    {"INVALID_REQUEST", STEPPER_E_INVALID_REQUEST},
    {"CONTEXT_TOO_LONG", STEPPER_E_CONTEXT_TOO_LONG},
    {"CONTENT_BLOCKED", STEPPER_E_CONTENT_BLOCKED},
    {"AUTH", STEPPER_E_AUTH},
    {"MODEL_NOT_FOUND", STEPPER_E_MODEL_NOT_FOUND},
    {"RATE_LIMITED", STEPPER_E_RATE_LIMITED},
    {"QUOTA", STEPPER_E_QUOTA},
    {"OVERLOADED", STEPPER_E_OVERLOADED},
    {"UPSTREAM", STEPPER_E_UPSTREAM},
    {"TIMEOUT", STEPPER_E_TIMEOUT},
    {"BAD_RESPONSE", STEPPER_E_BAD_RESPONSE},
    {"UNSUPPORTED", STEPPER_E_UNSUPPORTED},
};

std::map<int, int32_t> classesByStatus(const Block& map) {
    std::map<int, int32_t> classes;
    map.forEach([&](std::string_view status, const Value& word) {
        int number = 0;
        std::from_chars(status.data(), status.data() + status.size(), number);
        for (const auto& [name, error_class] : kClasses)
            if (name == kit::view(word)) classes[number] = error_class;
    });
    return classes;
}

// How APIs say that there was no error.
bool saysNothing(const Value& v) {
    if (v.IsString()) return v.GetStringLength() == 0;
    if (v.IsNumber()) return v.GetDouble() == 0;
    if (v.IsArray()) return v.Empty();
    return v.IsNull() || v.IsFalse() || (v.IsObject() && v.ObjectEmpty());
}

}  // namespace

ErrorRules::ErrorRules(const Block& options) : classes_(classesByStatus(options.inner("status_map"))) {
    const Block error = options.inner("error");
    when_ = error.pointer("when");
    message_ = error.pointer("message");
    code_ = error.pointer("code");
    const Block retry_after = options.inner("retry_after");
    delay_header_ = kit::lower(retry_after.word("header"));
    delay_pointer_ = retry_after.pointer("pointer");
    delay_in_ms_ = retry_after.word("unit") == "ms";
}

bool ErrorRules::isError(const Value& json) const {
    const Value* sign = when_.empty() ? nullptr : kit::at(json, when_);
    return sign && !saysNothing(*sign);
}

sdk::Failure ErrorRules::failure(int status, const kit::Headers& headers, std::string_view body) const {
    kit::ErrorBody error = kit::readErrorBody(body);
    if (const std::string message = textAt(error.json, message_); !message.empty()) error.message = message;
    if (const std::string code = textAt(error.json, code_); !code.empty()) {
        error.code = code;
        error.codes = "|" + kit::lower(code) + (error.codes.empty() ? "|" : error.codes);
    }
    sdk::Failure f = kit::classify(status, headers, error);
    if (const auto mapped = classes_.find(f.http_status); mapped != classes_.end()) {
        f.error_class = mapped->second;
        // The kit had no reason to look for a delay if it took the failure for a final one.
        if (f.retry_after_ms < 0) f.retry_after_ms = kit::statedDelayMs(headers, error.json, error.message);
    }
    if (const int64_t delay = retryAfterMs(headers, error.json); delay >= 0) f.retry_after_ms = delay;
    return f;
}

int64_t ErrorRules::retryAfterMs(const kit::Headers& headers, const Value& json) const {
    std::string value(delay_header_.empty() ? std::string_view{} : kit::header(headers, delay_header_));
    if (value.empty()) value = textAt(json, delay_pointer_);
    if (const int64_t ms = delay_in_ms_ ? kit::durationMs(value + "ms") : kit::kNoDelay; ms >= 0) return ms;
    return kit::delayMs(value, kit::epochMs(kit::header(headers, "date")));
}

}  // namespace http_template
