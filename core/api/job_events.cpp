#include "core/api/job_events.h"

#include <array>

#include "core/api/generate_request.h"
#include "core/api/job_view.h"
#include "core/api/json_answer.h"
#include "core/api/query.h"
#include "core/http/sse.h"

namespace stepper::api {
namespace {

using Woken = jobs::Waiters::Wait::Woken;

// Proxies close streams that are quiet for longer.
constexpr milliseconds kKeepAlive{15'000};

std::string stateJson(const store::Job& job) {
    return jsonObject([&](json::Writer& w) {
        json::put(w, "id", job.id);
        json::put(w, "status", wireStatus(job));
    });
}

// The events of one version of a job, in their order.
enum class Part : int64_t { State = 0, Progress = 1, Result = 2 };
constexpr int64_t kIdsOfAVersion = 4;

int64_t eventId(const store::Job& job, Part part) {
    return job.version * kIdsOfAVersion + static_cast<int64_t>(part);
}

std::string event(std::string_view name, const store::Job& job, Part part, std::string_view data) {
    return http::sse::event(name, std::to_string(eventId(job, part)), data);
}

// What the client knows, so that only what differs is told next.
struct Told {
    int64_t seen = -1;  // it has this event and all before it
    std::string state, progress;
};

std::string news(const store::Job& job, Told& told) {
    std::string out;
    if (auto state = stateJson(job); state != told.state) {
        if (eventId(job, Part::State) > told.seen) out += event("state", job, Part::State, state);
        told.state = std::move(state);
    }
    if (auto progress = progressJson(job); progress != told.progress) {
        if (eventId(job, Part::Progress) > told.seen)
            out += event("progress", job, Part::Progress, R"({"progress":)" + progress + "}");
        told.progress = std::move(progress);
    }
    return out;
}

std::string trouble(std::string_view what) {
    json::Document d(rapidjson::kObjectType);
    json::set(d, "error", what, d.GetAllocator());
    return http::sse::event("error", "", json::dump(d));
}

// Without a copy of a text that many may be sent at a time.
bool writeEvent(http::Stream& stream, std::string_view name, std::string_view id, std::string_view data) {
    if (!http::sse::isOneLine(data)) return stream.write(http::sse::event(name, id, data));
    const std::string opening = http::sse::opening(name, id);
    const std::array<std::string_view, 3> pieces{opening, data, http::sse::kClosing};
    return stream.write(pieces);
}

void tellResult(jobs::JobService& jobs, JobPages& pages, store::Job job, http::Stream& stream) {
    const std::string id = job.id, key = job.cache_key;
    const auto kind = jobs::requestKindOf(job.kind);
    const std::string event_id = std::to_string(eventId(job, Part::Result));
    const bool done = store::isDone(job.state);
    const auto page = pages.of(std::move(job));
    if (!page || !*page) {
        stream.write(trouble(page ? kNoRoomForPage : page.error().message));
        return;
    }
    if (writeEvent(stream, "result", event_id, **page) && done) jobs.delivered(kind, key, id);
}

}  // namespace

int64_t lastSeen(std::string_view event_id, const store::Job& job) {
    return wholeNumber(event_id, 0, eventId(job, Part::Result)).value_or(-1);
}

bool sawAll(const store::Job& job, int64_t seen) {
    return store::isFinal(job.state) && seen >= eventId(job, Part::Result);
}

void streamJob(jobs::JobService& jobs, JobPages& pages, const std::string& id, int64_t seen,
               http::Stream& stream) {
    Told told;
    told.seen = seen;
    for (;;) {
        jobs::Waiters::Wait wait(jobs.waiters(), id);
        auto job = jobs.store().job(id);
        if (!job || !*job) {
            stream.write(trouble(job ? "Job not found" : job.error().message));
            return;
        }
        if (const auto text = news(**job, told); !text.empty() && !stream.write(text)) return;
        if (store::isFinal((*job)->state)) return tellResult(jobs, pages, std::move(**job), stream);
        const SteadyTime until = std::chrono::steady_clock::now() + kKeepAlive;
        const Woken woken = wait.sleep(stream.cancel(), until);
        if (woken == Woken::Stopped) return;
        if (woken == Woken::Time && !stream.write(http::sse::kComment)) return;
    }
}

}  // namespace stepper::api
