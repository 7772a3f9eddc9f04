#include "core/api/retry.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/base/units.h"

namespace stepper::api {
namespace {

using json::Value;

constexpr int kMost = 1000;
constexpr std::string_view kMembers[] = {"ids", "state", "since", "until", "tenantId", "limit"};

using Problem = std::optional<std::string>;

Problem unknownMember(const Value& body) {
    Remarks found;
    const std::vector<std::string> known(std::begin(kMembers), std::end(kMembers));
    for (const auto& m : body.GetObject()) {
        const auto name = json::view(m.name);
        if (std::ranges::find(known, name) == known.end())
            found.unknown(std::string(name), name, "unknown member", known);
    }
    return found.empty() ? std::nullopt : Problem(found.refusal());
}

Problem readIds(const Value& v, std::vector<std::string>& out) {
    const bool sound = v.IsArray() && !v.Empty() && v.Size() <= kMost;
    for (rapidjson::SizeType i = 0; sound && i < v.Size() && v[i].IsString(); ++i)
        out.emplace_back(json::view(v[i]));
    if (sound && out.size() == v.Size()) return std::nullopt;
    return "Invalid ids: expected an array of 1 to 1000 ids of jobs";
}

Problem readState(const Value& v, store::RetryFilter& out) {
    using store::JobState;
    const std::string_view word = v.IsString() ? json::view(v) : "";
    if (word == "failed") out.states = {JobState::Failed};
    if (word == "fallback") out.states = {JobState::Substituted};
    if (word == "cancelled") out.states = {JobState::Cancelled};
    return out.states.empty() ? Problem("Invalid state: expected 'failed', 'fallback', or 'cancelled'")
                              : std::nullopt;
}

// How long ago that was; none when it is no such text, or still to come.
std::optional<milliseconds> readAgo(const Value& v, WallTime now) {
    const std::string_view text = v.IsString() ? json::view(v) : "";
    if (const auto moment = parseTime(text); moment && *moment <= now)
        return std::chrono::ceil<milliseconds>(now - *moment);
    return parseDuration(text);
}

Problem mustBeAgo(std::string_view key) {
    return "Invalid " + std::string(key) +
           ": expected how long ago, such as '2h', or a moment that has passed, such as "
           "'2026-11-21T07:12:22Z'";
}

Problem readSince(const Value& v, WallTime now, store::RetryFilter& out) {
    out.within = readAgo(v, now);
    return out.within ? std::nullopt : mustBeAgo("since");
}

Problem readUntil(const Value& v, WallTime now, store::RetryFilter& out) {
    const auto ago = readAgo(v, now);
    out.not_within = ago.value_or(milliseconds{0});
    return ago ? std::nullopt : mustBeAgo("until");
}

Problem readTenant(const Value& v, store::RetryFilter& out) {
    if (!v.IsString()) return "Invalid tenantId: expected a string";
    out.tenant = json::view(v);
    return std::nullopt;
}

Problem readLimit(const Value& v, store::RetryFilter& out) {
    if (!v.IsInt() || v.GetInt() < 1 || v.GetInt() > kMost) return "Invalid limit: expected 1 to 1000";
    out.limit = v.GetInt();
    return std::nullopt;
}

Problem readFilter(const Value& body, WallTime now, store::RetryFilter& out) {
    Problem problem;
    const auto read = [&](const char* key, const auto& take) {
        if (const Value* v = json::find(body, key); v && !problem) problem = take(*v);
    };
    read("state", [&](const Value& v) { return readState(v, out); });
    read("since", [&](const Value& v) { return readSince(v, now, out); });
    read("until", [&](const Value& v) { return readUntil(v, now, out); });
    read("tenantId", [&](const Value& v) { return readTenant(v, out); });
    read("limit", [&](const Value& v) { return readLimit(v, out); });
    if (out.states.empty()) out.states = {store::JobState::Failed};
    return problem;
}

}  // namespace

std::variant<RetryRequest, BadRequest> parseRetry(std::string_view text, WallTime now) {
    auto whole = parseBody(text);
    if (auto* bad = std::get_if<BadRequest>(&whole)) return std::move(*bad);
    const Value& body = *std::get<Body>(whole);
    if (!body.IsObject()) return refuse("Request body must be an object");
    if (const auto problem = unknownMember(body)) return refuse(*problem);
    if (body.ObjectEmpty())
        return refuse("Say which jobs: ids, or any of state, since, until, tenantId and limit");
    RetryRequest out;
    out.filter.limit = kMost;
    const Value* ids = json::find(body, "ids");
    if (ids && body.MemberCount() > 1)
        return refuse("Invalid ids: name jobs, or say which they are; not both");
    const auto problem = ids ? readIds(*ids, out.ids) : readFilter(body, now, out.filter);
    if (problem) return refuse(*problem);
    out.until = now - out.filter.not_within;
    return out;
}

}  // namespace stepper::api
