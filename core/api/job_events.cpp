#include "core/api/job_events.h"

#include "core/api/generate_request.h"
#include "core/api/job_view.h"
#include "core/base/json.h"
#include "core/http/sse.h"

namespace stepper::api {
namespace {

using Woken = jobs::Waiters::Ticket::Woken;

// Proxies close streams that are quiet for longer.
constexpr milliseconds kKeepAlive{15'000};

std::string stateJson(const store::Job& job) {
    rapidjson::StringBuffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    json::put(w, "id", job.id);
    json::put(w, "status", wireStatus(job));
    w.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

// What was last told, so that only what differs is told next.
struct Told {
    int64_t version = -1;
    std::string state, progress;
};

std::string news(const store::Job& job, Told& told) {
    const std::string id = std::to_string(job.version);
    std::string out;
    if (auto state = stateJson(job); state != told.state) {
        out += http::sse::event("state", id, state);
        told.state = std::move(state);
    }
    if (auto progress = progressJson(job); progress != told.progress) {
        out += http::sse::event("progress", id, R"({"progress":)" + progress + "}");
        told.progress = std::move(progress);
    }
    told.version = job.version;
    return out;
}

std::string result(jobs::JobService& jobs, const Clock& clock, const store::Job& job) {
    std::vector<store::BatchItem> items;
    if (job.isBatch())
        if (auto read = jobs.store().items(job.id)) items = std::move(read).value();
    return http::sse::event("result", std::to_string(job.version), jobJson(job, items, clock.wall()));
}

}  // namespace

void streamJob(jobs::JobService& jobs, const Clock& clock, const std::string& id, int64_t seen,
               http::Stream& stream) {
    Told told;
    told.version = seen;
    for (;;) {
        jobs::Waiters::Ticket ticket(jobs.waiters(), id);
        const auto job = jobs.store().job(id);
        if (!job || !*job) {
            stream.write(
                http::sse::event("error", "", refuse(job ? "Job not found" : job.error().message).body));
            return;
        }
        if ((*job)->version > told.version && !stream.write(news(**job, told))) return;
        if (store::isFinal((*job)->state)) {
            const bool written = stream.write(result(jobs, clock, **job));
            if (written && (*job)->state == store::JobState::Done)
                jobs.delivered((*job)->kind, (*job)->cache_key, id);
            return;
        }
        const SteadyTime until = std::chrono::steady_clock::now() + kKeepAlive;
        const Woken woken = ticket.sleep(stream.cancel(), until);
        if (woken == Woken::Stopped) return;
        if (woken == Woken::Time && !stream.write(http::sse::kComment)) return;
    }
}

}  // namespace stepper::api
