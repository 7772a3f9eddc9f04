#include "core/api/start.h"

#include <algorithm>

namespace stepper::api {
namespace {

constexpr std::chrono::seconds kClocksDiffer{60};

const json::Value* member(const json::Value& body, std::string_view key) {
    const auto* v = json::find(body, key);
    return v && !v->IsNull() ? v : nullptr;
}

std::optional<std::string> readDelay(const json::Value& v, Start& out) {
    const double most = std::chrono::duration<double>(kLongestDelay).count();
    if (!v.IsNumber() || v.GetDouble() < 0 || v.GetDouble() > most)
        return "Invalid delaySeconds: expected a number from 0 to " +
               std::to_string(std::chrono::seconds(kLongestDelay).count());
    out.in = std::chrono::ceil<milliseconds>(std::chrono::duration<double>(v.GetDouble()));
    return std::nullopt;
}

}  // namespace

std::optional<std::string> readStart(const json::Value& body, Start& out) {
    const auto *at = member(body, "runAt"), *in = member(body, "delaySeconds");
    if (at && in) return "Invalid runAt: expected either runAt or delaySeconds, not both";
    if (in) return readDelay(*in, out);
    if (!at) return std::nullopt;
    const std::string_view text = at->IsString() ? json::view(*at) : "";
    // The other notation of moments that is read elsewhere begins with a weekday.
    if (!text.empty() && text.front() >= '0' && text.front() <= '9') out.at = parseTime(text);
    if (out.at) return std::nullopt;
    return "Invalid runAt: expected a moment with its offset, such as '2026-11-21T08:12:22+01:00'";
}

std::variant<milliseconds, std::string> delayUntil(const Start& start, WallTime now) {
    if (!start.at) return start.in;
    const auto delay = std::chrono::ceil<milliseconds>(*start.at - now);
    if (delay < -kClocksDiffer) return "Invalid runAt: " + isoTime(*start.at) + " has passed";
    if (delay > kLongestDelay)
        return "Invalid runAt: " + isoTime(*start.at) + " is more than 30 days from now";
    return std::max(delay, milliseconds{0});
}

}  // namespace stepper::api
