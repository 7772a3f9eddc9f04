// Those who wait for a job to change: long-polls and event streams. Safe from any thread.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/cancel.h"

namespace stepper::jobs {

class Waiters {
public:
    // Wakes whoever waits for this job.
    void notify(const std::string& job_id);
    // Wakes all, and from then on everybody at once: the server is ending.
    void close();

    // One wait. Register first, read the job, then sleep: a change in between is not missed.
    class Wait {
    public:
        Wait(Waiters& waiters, const std::string& job_id);
        ~Wait();
        Wait(const Wait&) = delete;
        Wait& operator=(const Wait&) = delete;

        enum class Woken { Changed, Time, Stopped };
        // Until the job changed, `until` has come, or the client's own token or the end of the server stops
        // it.
        Woken sleep(CancelToken client, SteadyTime until);

    private:
        friend class Waiters;
        std::optional<Woken> woken();

        Waiters& waiters_;
        bool changed_ = false;  // guarded by the waiters' lock
        Bell bell_;
        const std::multimap<std::string, Wait*>::iterator place_;  // last: there others find it
    };

private:
    std::mutex mutex_;
    bool closed_ = false;
    std::multimap<std::string, Wait*> waits_;  // by ids that clients name: ordered
};

}  // namespace stepper::jobs
