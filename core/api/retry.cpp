#include "core/api/retry.h"

#include <algorithm>

#include "core/api/answer.h"
#include "core/base/text.h"
#include "core/base/units.h"

namespace stepper::api {
namespace {

using json::Value;

constexpr int kMost = 1000;
// Whoever asks waits for it.
constexpr std::chrono::seconds kLongest{20};
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

std::string_view problemOf(jobs::Retried::How how) {
    using How = jobs::Retried::How;
    if (how == How::NotFound) return "Job not found";
    return how == How::NotFinal ? "It is not finished" : "No item of this batch failed";
}

void put(json::Writer& w, const std::string& id, const jobs::Retried& done) {
    using How = jobs::Retried::How;
    w.StartObject();
    json::put(w, "id", id);
    const bool has_job = done.how == How::Queued || done.how == How::Before;
    json::put(w, has_job ? "jobId" : "error", has_job ? std::string_view(done.job_id) : problemOf(done.how));
    if (done.how == How::Before) json::putBool(w, "already", true);
    w.EndObject();
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

Result<std::vector<std::string>> Retries::chosen(const RetryRequest& wanted) const {
    if (!wanted.ids.empty()) return wanted.ids;
    return jobs_.store().retryable(wanted.filter);
}

http::Response Retries::many(const http::Request& request) const {
    const auto parsed = parseRetry(request.body, clock_.wall());
    if (const auto* bad = std::get_if<BadRequest>(&parsed)) return badRequest(*bad, request.id);
    const auto& wanted = std::get<RetryRequest>(parsed);
    const auto ids = chosen(wanted);
    if (!ids) return storeUnavailable(ids.error(), request.id);

    const SteadyTime until = clock_.now() + kLongest;
    json::Buffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    w.Key("jobs");
    w.StartArray();
    size_t looked_at = 0;
    int64_t retried = 0;
    const auto goesOn = [&] { return clock_.now() < until && request.cancel->check() == CancelReason::None; };
    for (; looked_at < ids->size() && goesOn(); ++looked_at) {
        const auto done = jobs_.retry((*ids)[looked_at], jobs::WhichItems::Failed, true);
        // What was begun is told of; the next try goes on behind it.
        if (!done && looked_at == 0) return storeUnavailable(done.error(), request.id);
        if (!done) break;
        put(w, (*ids)[looked_at], *done);
        retried += done->how == jobs::Retried::How::Queued;
    }
    w.EndArray();
    json::putInt(w, "retried", retried);
    const bool full = wanted.ids.empty() && static_cast<int>(ids->size()) == wanted.filter.limit;
    json::putBool(w, "more", full || looked_at < ids->size());
    json::put(w, "until", isoTime(wanted.until));
    w.EndObject();
    return http::Response::json(200, {buffer.GetString(), buffer.GetSize()});
}

}  // namespace stepper::api
