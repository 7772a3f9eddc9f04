#include "core/api/retry.h"

#include <algorithm>

#include "core/api/refusal.h"
#include "core/base/text.h"
#include "core/base/units.h"

namespace stepper::api {
namespace {

using json::Value;

constexpr int kMost = 1000;
constexpr std::string_view kMembers[] = {"ids", "state", "since", "until", "tenantId", "limit"};

Result<void> checkMembers(const Value& body) {
    Remarks found;
    const std::vector<std::string> known(std::begin(kMembers), std::end(kMembers));
    for (const auto& m : body.GetObject()) {
        const auto name = json::view(m.name);
        if (std::ranges::find(known, name) == known.end())
            found.unknown(std::string(name), name, "unknown member", known);
    }
    if (!found.empty()) return refusal(found.refusal());
    return {};
}

Result<std::vector<std::string>> idsIn(const Value& v) {
    std::vector<std::string> out;
    const bool sound = v.IsArray() && !v.Empty() && v.Size() <= kMost;
    for (rapidjson::SizeType i = 0; sound && i < v.Size() && v[i].IsString(); ++i)
        out.emplace_back(json::view(v[i]));
    if (sound && out.size() == v.Size()) return out;
    return refusal("Invalid ids: expected an array of 1 to 1000 ids of jobs");
}

Result<std::vector<store::JobState>> statesIn(const Value* v) {
    using store::JobState;
    const std::string_view word = !v ? "failed" : v->IsString() ? json::view(*v) : "";
    if (word == "failed") return std::vector{JobState::Failed};
    if (word == "fallback") return std::vector{JobState::Substituted};
    if (word == "cancelled") return std::vector{JobState::Cancelled};
    return refusal("Invalid state: expected 'failed', 'fallback', or 'cancelled'");
}

// How long ago that was; none when it is no such text, or still to come.
std::optional<milliseconds> readAgo(const Value& v, WallTime now) {
    const std::string_view text = v.IsString() ? json::view(v) : "";
    if (const auto moment = parseTime(text); moment && *moment <= now)
        return std::chrono::ceil<milliseconds>(now - *moment);
    return parseDuration(text);
}

Result<std::optional<milliseconds>> agoIn(const Value& body, const char* key, WallTime now) {
    const Value* v = json::find(body, key);
    const auto ago = v ? readAgo(*v, now) : std::nullopt;
    if (ago || !v) return ago;
    return refusal("Invalid " + std::string(key) +
                   ": expected how long ago, such as '2h', or a moment that has passed, such as "
                   "'2026-11-21T07:12:22Z'");
}

Result<std::optional<std::string>> tenantIn(const Value* v) {
    if (!v) return std::optional<std::string>();
    if (!v->IsString()) return refusal("Invalid tenantId: expected a string");
    return std::optional<std::string>(json::view(*v));
}

Result<int> limitIn(const Value* v) {
    if (!v) return kMost;
    if (v->IsInt() && v->GetInt() >= 1 && v->GetInt() <= kMost) return v->GetInt();
    return refusal("Invalid limit: expected 1 to 1000");
}

Result<store::RetryFilter> readFilter(const Value& body, WallTime now) {
    FirstProblem first;
    store::RetryFilter out;
    out.states = first.of(statesIn(json::find(body, "state")));
    out.within = first.of(agoIn(body, "since", now));
    out.not_within = first.of(agoIn(body, "until", now)).value_or(milliseconds{0});
    out.tenant = first.of(tenantIn(json::find(body, "tenantId")));
    out.limit = first.of(limitIn(json::find(body, "limit")));
    if (first.get()) return *first.get();
    return out;
}

}  // namespace

Result<RetryRequest> parseRetry(std::string_view text, WallTime now) {
    const auto whole = parseBody(text);
    if (!whole) return whole.error();
    const Value& body = **whole;
    if (!body.IsObject()) return refusal("Request body must be an object");
    if (auto sound = checkMembers(body); !sound) return std::move(sound).error();
    if (body.ObjectEmpty())
        return refusal("Say which jobs: ids, or any of state, since, until, tenantId and limit");
    const Value* ids = json::find(body, "ids");
    if (ids && body.MemberCount() > 1)
        return refusal("Invalid ids: name jobs, or say which they are; not both");
    FirstProblem first;
    RetryRequest out;
    if (ids) {
        out.ids = first.of(idsIn(*ids));
    } else {
        out.filter = first.of(readFilter(body, now));
    }
    if (first.get()) return *first.get();
    out.until = now - out.filter.not_within;
    return out;
}

}  // namespace stepper::api
