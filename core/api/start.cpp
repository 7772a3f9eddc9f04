#include "core/api/start.h"

#include <algorithm>

#include "core/api/member.h"
#include "core/api/refusal.h"

namespace stepper::api {
namespace {

constexpr std::chrono::seconds kClocksDiffer{60};

Result<Start> readDelay(const json::Value& v) {
    const double most = std::chrono::duration<double>(kLongestDelay).count();
    if (!v.IsNumber() || v.GetDouble() < 0 || v.GetDouble() > most)
        return refusal("Invalid delaySeconds: expected a number from 0 to " +
                       std::to_string(std::chrono::seconds(kLongestDelay).count()));
    return Start{.in = std::chrono::ceil<milliseconds>(std::chrono::duration<double>(v.GetDouble()))};
}

Result<Start> readMoment(const json::Value& v) {
    const std::string_view text = v.IsString() ? json::view(v) : "";
    // The other notation of moments that is read elsewhere begins with a weekday.
    if (!text.empty() && text.front() >= '0' && text.front() <= '9')
        if (const auto at = parseTime(text)) return Start{.at = at};
    return refusal("Invalid runAt: expected a moment with its offset, such as '2026-11-21T08:12:22+01:00'");
}

}  // namespace

Result<Start> readStart(const json::Value& body) {
    const auto *at = member(body, "runAt"), *in = member(body, "delaySeconds");
    if (at && in) return refusal("Invalid runAt: expected either runAt or delaySeconds, not both");
    if (in) return readDelay(*in);
    return at ? readMoment(*at) : Start{};
}

Result<milliseconds> delayUntil(const Start& start, WallTime now) {
    if (!start.at) return start.in;
    const auto delay = std::chrono::ceil<milliseconds>(*start.at - now);
    if (delay < -kClocksDiffer) return refusal("Invalid runAt: " + isoTime(*start.at) + " has passed");
    if (delay > kLongestDelay)
        return refusal("Invalid runAt: " + isoTime(*start.at) + " is more than 30 days from now");
    return std::max(delay, milliseconds{0});
}

}  // namespace stepper::api
