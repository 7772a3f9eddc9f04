#include "core/store/store.h"

namespace stepper::store {

std::string_view name(JobState s) {
    switch (s) {
        case JobState::Ready: return "ready";
        case JobState::Delayed: return "delayed";
        case JobState::Leased: return "leased";
        case JobState::Held: return "held";
        case JobState::Following: return "following";
        case JobState::Open: return "open";
        case JobState::Scheduled: return "scheduled";
        case JobState::Done: return "done";
        case JobState::Failed: return "failed";
        case JobState::Substituted: return "substituted";
        case JobState::Cancelled: break;
    }
    return "cancelled";
}

std::string_view name(Lane lane) {
    switch (lane) {
        case Lane::Live: return "live";
        case Lane::Batch: return "batch";
        case Lane::Suspect: break;
    }
    return "suspect";
}

bool keepsLonger(const Job& job) {
    return job.state == JobState::Failed || (job.state == JobState::Done && job.failed > 0);
}

}  // namespace stepper::store
