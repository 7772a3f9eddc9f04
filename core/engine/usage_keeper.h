// Keeps the ledger of usage across restarts, in the store's notes "usage/2026-11-21/TENANT", for 31 days.
#pragma once
#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/engine/usage.h"
#include "core/store/store.h"
#include "core/telemetry/complaint.h"

namespace stepper::engine {

// "2026-11-21"
std::string isoDay(Day day);

// keep() and page() may be called from any thread.
class UsageKeeper {
public:
    static constexpr int kDays = 31;

    // Both must outlive it.
    UsageKeeper(Usage& usage, store::Store& store) : usage_(usage), store_(store) {}
    ~UsageKeeper();

    // Begins to write down, every few seconds, what has changed. A store that fails is complained of and
    // asked again; until then the ledger holds everything.
    void start();
    // Ends that, and writes down the rest.
    void close();

    // One round of it: the numbers of tenants that changed, in portions; once a day what is too old goes.
    Result<void> keep();

    Day today() const { return usage_.today(); }
    // What was used that day by at most so many tenants, by name, from the first on.
    Result<DayUsage> page(Day day, std::string_view first, size_t most);

private:
    void loop();
    void keepOrComplain();
    Result<DayUsage> written(Day day, std::string_view first, size_t most);
    Result<void> writeChanges();
    Result<void> write(const std::vector<Usage::Change>& changes);
    Result<void> removeOld();

    Usage& usage_;
    store::Store& store_;
    std::mutex store_mutex_;  // a page must not show a day between being read and being written
    std::optional<Day> cleaned_on_;
    Complaint trouble_{"usage cannot be stored; it is counted in memory meanwhile"};

    std::mutex mutex_;
    std::condition_variable wake_;
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace stepper::engine
