// The jobs' housekeeping on one thread: heartbeats for what runs, leases that ran out, what is old enough to
// go; and an eye on the store.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "core/jobs/scheduler.h"
#include "core/telemetry/recurrence.h"

namespace stepper::jobs {

class Keeper {
public:
    // `retention` is asked each time. Borrows the others, which must outlive it.
    Keeper(store::Store& store, Scheduler& scheduler, std::function<store::Retention()> retention);
    ~Keeper();
    void start();

private:
    void loop();
    // Whether what runs here keeps its leases.
    bool beat();
    // Until nothing is too old or the time has come; whether there is more.
    bool sweep(std::unique_lock<std::mutex>& lock, SteadyTime until);
    // Who posts is told at once; the log, which nobody waits for, here: also when nobody tries to write.
    void lookAtStore();

    store::Store& store_;
    Scheduler& scheduler_;
    const std::function<store::Retention()> retention_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stop_ = false;
    bool told_of_failure_ = false, told_of_trouble_ = false;
    Recurrence trouble_;
    Complaint cannot_renew_{"leases cannot be renewed"};
    std::thread thread_;
};

}  // namespace stepper::jobs
