#include "core/api/job_view.h"

#include <algorithm>

#include "core/api/generate_request.h"
#include "core/api/json_answer.h"
#include "core/engine/outcome_json.h"

namespace stepper::api {
namespace {

using store::JobState;

void putMember(json::Writer& w, const json::Value& from, std::string_view key, std::string_view as) {
    const auto* v = json::find(from, key);
    if (!v) return;
    w.Key(as.data(), static_cast<rapidjson::SizeType>(as.size()));
    v->Accept(w);
}

// Meta is ours; were it damaged, its members would merely be missing.
json::Document metaOf(const std::string& meta) {
    auto parsed = json::parse(meta.empty() ? "{}" : meta);
    return parsed ? std::move(parsed).value() : json::Document(rapidjson::kObjectType);
}

void putEnding(json::Writer& w, const json::Value& meta) {
    for (const auto member : engine::kEndingMembers) putMember(w, meta, member, member);
}

// `first`, then those that were stored.
void putWarnings(json::Writer& w, std::vector<std::string> first, const json::Value& meta) {
    if (const auto* stored = json::find(meta, "warnings"); stored && stored->IsArray())
        for (const auto& warning : stored->GetArray())
            if (warning.IsString()) first.emplace_back(json::view(warning));
    engine::putWarnings(w, first);
}

std::string_view rawStatus(const store::Job& job) {
    switch (job.state) {
        case JobState::Scheduled:
        case JobState::Delayed: return "delayed";
        case JobState::Leased: return "active";
        case JobState::Done:
        case JobState::Substituted: return "completed";
        case JobState::Failed: return "failed";
        case JobState::Cancelled: return "cancelled";
        case JobState::Open: return wireStatus(job) == "active" ? "active" : "waiting";
        default: return "waiting";
    }
}

void putProgress(json::Writer& w, const store::Job& job) {
    if (!job.isBatch()) {
        w.Int(store::isDone(job.state) ? 100 : job.progress);
        return;
    }
    w.StartObject();
    json::putInt(w, "done", job.done + job.failed);
    json::putInt(w, "total", job.total);
    w.EndObject();
}

void putAnswer(json::Writer& w, const store::Job& job) {
    const auto meta = metaOf(job.meta);
    w.Key("data");
    w.StartObject();
    json::putRaw(w, "result", job.result);
    putMember(w, meta, "provider", "usedProvider");
    for (const auto* key : {"providersAttempted", "fallback", "validated", "timings"})
        putMember(w, meta, key, key);
    putEnding(w, meta);
    putMember(w, meta, "warnings", "warnings");
    w.EndObject();
}

void putFailure(json::Writer& w, const std::string& meta_text) {
    const auto meta = metaOf(meta_text);
    json::put(w, "error", json::string(meta, "message").value_or("The job failed."));
    w.Key("failure");
    meta.Accept(w);
}

void putItem(json::Writer& w, const store::BatchItem& item, int64_t index) {
    w.StartObject();
    json::put(w, "id", item.label);
    json::putInt(w, "index", index);
    json::put(w, "status", wireStatus(item.state));
    if (store::isDone(item.state)) {
        json::putRaw(w, "data", item.result);
        w.Key("metadata");
        metaOf(item.meta).Accept(w);
    } else if (item.state == JobState::Failed) {
        w.Key("failure");
        metaOf(item.meta).Accept(w);
    } else {
        w.Key("failure");
        w.StartObject();
        json::put(w, "errorCode", "CANCELLED");
        json::put(w, "message", "The item was cancelled.");
        json::putBool(w, "retryable", true);
        w.EndObject();
    }
    w.EndObject();
}

void putItems(json::Writer& w, const store::Job& job, const std::vector<store::BatchItem>& items) {
    w.Key("data");
    w.StartObject();
    w.Key("items");
    w.StartArray();
    for (size_t i = 0; i < items.size(); ++i) putItem(w, items[i], static_cast<int64_t>(i));
    w.EndArray();
    json::putInt(w, "total", job.total);
    json::putInt(w, "completed", job.done);
    json::putInt(w, "failed", job.failed);
    const auto fallbacks = std::ranges::count(items, JobState::Substituted, &store::BatchItem::state);
    if (fallbacks > 0) json::putInt(w, "fallbacks", fallbacks);
    w.EndObject();
}

void putMoment(json::Writer& w, std::string_view key, const std::optional<WallTime>& t) {
    if (t) json::put(w, key, isoTime(*t));
}

void putRetry(json::Writer& w, const store::Job& job) {
    if (!job.retried_as.empty()) json::put(w, "retriedAs", job.retried_as);
}

}  // namespace

std::string_view wireStatus(JobState state) {
    switch (state) {
        case JobState::Leased: return "active";
        case JobState::Done:
        case JobState::Substituted: return "completed";
        case JobState::Failed: return "failed";
        case JobState::Cancelled: return "cancelled";
        default: return "queued";
    }
}

std::string_view wireStatus(const store::Job& job) {
    // A batch is at work from its first item on.
    if (job.state == JobState::Open && job.isAtWork()) return "active";
    return wireStatus(job.state);
}

std::optional<store::ListFilter> filterNamed(std::string_view word) {
    using Filter = store::ListFilter;
    Filter begun, unbegun;
    begun.at_work = true;
    unbegun.at_work = false;
    if (word == "queued") {
        unbegun.states = {JobState::Ready, JobState::Delayed, JobState::Scheduled, JobState::Following,
                          JobState::Open};
        return unbegun;
    }
    if (word == "waiting") {
        unbegun.states = {JobState::Ready, JobState::Following, JobState::Open};
        return unbegun;
    }
    if (word == "active") {
        begun.states = {JobState::Leased, JobState::Open};
        return begun;
    }
    if (word == "delayed") return Filter{{JobState::Delayed, JobState::Scheduled}};
    if (word == "completed") return Filter{{JobState::Done, JobState::Substituted}};
    if (word == "fallback") return Filter{{JobState::Substituted}};
    if (word == "failed") return Filter{{JobState::Failed}};
    if (word == "cancelled") return Filter{{JobState::Cancelled}};
    return std::nullopt;
}

std::string progressJson(const store::Job& job) {
    json::Buffer buffer;
    json::Writer w(buffer);
    putProgress(w, job);
    return {buffer.GetString(), buffer.GetSize()};
}

std::string jobJson(const store::Job& job, const std::vector<store::BatchItem>& items, WallTime now,
                    const std::vector<std::string>& warnings) {
    return jsonObject([&](json::Writer& w) {
        json::put(w, "id", job.id);
        json::put(w, "status", wireStatus(job));
        json::put(w, "rawStatus", rawStatus(job));
        json::put(w, "contractVersion", kContractVersion);
        w.Key("progress");
        putProgress(w, job);
        if (job.run_at) {
            if (job.state == JobState::Scheduled) json::put(w, "runAt", isoTime(*job.run_at));
            const auto left = std::chrono::duration_cast<milliseconds>(*job.run_at - now);
            json::putInt(w, "retryAfterSeconds", engine::wholeSeconds(std::max(left, milliseconds{0})));
        }
        putRetry(w, job);
        if (job.isBatch())
            putWarnings(w, warnings, metaOf(job.meta));
        else
            engine::putWarnings(w, warnings);
        if (job.isBatch() && store::isFinal(job.state)) {
            putItems(w, job, items);
        } else if (store::isDone(job.state)) {
            putAnswer(w, job);
        } else if (job.state == JobState::Failed) {
            putFailure(w, job.meta);
        }
    });
}

std::string jobListJson(const std::vector<store::Job>& jobs, bool may_be_more,
                        const std::vector<std::string>& warnings) {
    return jsonObject([&](json::Writer& w) {
        w.Key("jobs");
        w.StartArray();
        for (const auto& job : jobs) {
            w.StartObject();
            json::put(w, "id", job.id);
            json::put(w, "kind", job.isBatch() ? "batch" : job.kind);
            json::put(w, "tenantId", job.tenant);
            json::put(w, "status", wireStatus(job));
            json::put(w, "rawStatus", rawStatus(job));
            if (job.state == JobState::Substituted) json::putBool(w, "fallback", true);
            w.Key("progress");
            putProgress(w, job);
            json::putInt(w, "priority", job.priority);
            json::putInt(w, "attempts", job.attempts);
            json::putInt(w, "crashes", job.crashes);
            json::put(w, "createdAt", isoTime(job.created));
            json::put(w, "updatedAt", isoTime(job.updated));
            putMoment(w, "runAt", job.run_at);
            putMoment(w, "finishedAt", job.finished);
            putRetry(w, job);
            w.EndObject();
        }
        w.EndArray();
        if (may_be_more && !jobs.empty()) json::put(w, "next", std::to_string(jobs.back().place));
        engine::putWarnings(w, warnings);
    });
}

std::string cachedJson(const store::CachedAnswer& answer, bool stale, jobs::RequestKind kind,
                       const std::vector<std::string>& warnings) {
    const auto meta = metaOf(answer.meta);
    return jsonObject([&](json::Writer& w) {
        json::put(w, "status", "completed");
        json::putBool(w, "cached", true);
        if (stale) json::putBool(w, "stale", true);
        json::putRaw(w, "data", answer.result);
        w.Key("metadata");
        w.StartObject();
        putMember(w, meta, "provider", "provider");
        putMember(w, meta, "fallback", "fallback");
        if (kind != jobs::RequestKind::Report) {
            putMember(w, meta, "validated", "validated");
            json::put(w, "contractVersion", kContractVersion);
        }
        putMember(w, meta, "timings", "timings");
        putEnding(w, meta);
        putWarnings(w, warnings, meta);
        w.EndObject();
    });
}

std::string batchMeta(const std::vector<std::string>& warnings) {
    if (warnings.empty()) return {};
    return jsonObject([&](json::Writer& w) { engine::putWarnings(w, warnings); });
}

}  // namespace stepper::api
