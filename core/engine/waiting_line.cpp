#include "core/engine/waiting_line.h"

#include <algorithm>
#include <new>
#include <tuple>

namespace stepper::engine {
namespace {

// While requests wait, a job enters after so many of them; its room is kept for it for so long. Turns that no
// job can use come less and less often.
constexpr int kEntriesPerJob = 4;
constexpr int kMostDoublings = 4;
constexpr milliseconds kJobPatience{50};
// Who could not be served for lack of memory looks again after that.
constexpr milliseconds kOutOfMemoryPause{100};
// A request counts as one, and once more for every so many bytes.
constexpr double kBytesPerCost = 8192;
constexpr double kMostCost = 16;

double costOf(const limits::Demand& demand) {
    return std::min(1 + static_cast<double>(demand.bytes) / kBytesPerCost, kMostCost);
}

}  // namespace

void WaitingLine::join(Waiter& waiter) {
    changed_.clear();
    if (const size_t all = static_cast<size_t>(size_) + 1; changed_.capacity() < all)
        changed_.reserve(2 * all);
    Flow flow{{&waiter}, virtual_time_};
    const auto known = flows_.find(waiter.tenant);
    if (known == flows_.end())
        flows_.emplace(waiter.tenant, std::move(flow));
    else
        known->second.waiters.push_back(&waiter);
    if (size_++ == 0) unused_turns_ = 0;
    waiter.waits = true;
}

void WaitingLine::leave(Waiter& waiter) {
    take(waiter);
    waiter.waits = false;
    --size_;
}

void WaitingLine::take(const Waiter& waiter) {
    const auto flow = flows_.find(waiter.tenant);
    std::erase(flow->second.waiters, &waiter);
    if (flow->second.waiters.empty()) flows_.erase(flow);
}

const WaitingLine::Waiters& WaitingLine::consider(Waiter& newcomer, SteadyTime now) {
    changed_.clear();
    newcomer.choice = choose(newcomer.candidates, newcomer.demand, now, nullptr, Act::Look);
    if (std::exchange(newcomer.choice.index, std::nullopt)) return serve(now);
    if (settle(newcomer)) changed_.push_back(&newcomer);
    if (!newcomer.waits) take(newcomer);
    return changed_;
}

const WaitingLine::Waiters& WaitingLine::serve(SteadyTime now) {
    changed_.clear();
    try {
        while (!keptForJobs(now)) {
            Waiter* went = letNextIn(now);
            if (!went) break;
            changed_.push_back(went);
        }
        if (kept_until_ != SteadyTime{}) lookOver(now);
    } catch (const std::bad_alloc&) {
        for (auto& [tenant, flow] : flows_)
            for (Waiter* w : flow.waiters) w->choice.lookAt(now + kOutOfMemoryPause);
    }
    for (auto flow = flows_.begin(); flow != flows_.end();) {
        Waiters& waiters = flow->second.waiters;
        std::erase_if(waiters, [this](Waiter* w) {
            if (settle(*w)) changed_.push_back(w);
            return !w->waits;
        });
        flow = waiters.empty() ? flows_.erase(flow) : std::next(flow);
    }
    return changed_;
}

// The flow that has been given least goes first; one nobody of which can go is passed over. Everybody is
// asked anew after each entry, for it may change what the others have to wait for.
WaitingLine::Waiter* WaitingLine::letNextIn(SteadyTime now) {
    Denials denials;
    std::vector<Flows::iterator> order;
    for (auto it = flows_.begin(); it != flows_.end(); ++it) order.push_back(it);
    const auto by_served = [](const auto& a, const auto& b) {
        return std::tie(a->second.served, a->first) > std::tie(b->second.served, b->first);
    };
    std::make_heap(order.begin(), order.end(), by_served);
    for (; !order.empty(); order.pop_back()) {
        std::pop_heap(order.begin(), order.end(), by_served);
        const auto flow = order.back();
        Flow& f = flow->second;
        const auto goes = std::ranges::find_if(f.waiters, [&](Waiter* w) {
            w->choice = choose(w->candidates, w->demand, now, &denials);
            return w->choice.index.has_value();
        });
        if (goes == f.waiters.end()) continue;
        Waiter* waiter = *goes;
        virtual_time_ = f.served;
        f.served += costOf(waiter->demand);
        ++entries_since_job_;
        leave(*waiter);
        return waiter;
    }
    return nullptr;
}

// While room is kept for a job nobody goes; what each may hope for is found out all the same.
void WaitingLine::lookOver(SteadyTime now) {
    Denials denials;
    for (auto& [tenant, flow] : flows_)
        for (Waiter* w : flow.waiters) {
            w->choice = choose(w->candidates, w->demand, now, &denials, Act::Look);
            if (!std::exchange(w->choice.index, std::nullopt)) continue;
            w->choice.busy = true;
            w->choice.lookAt(kept_until_);
        }
}

bool WaitingLine::settle(Waiter& waiter) {
    const SteadyTime look_at = std::min(waiter.until, waiter.choice.look_again);
    const bool sooner = look_at < std::exchange(waiter.look_at, look_at);
    if (waiter.choice.hopeful(waiter.until)) return sooner;
    waiter.waits = false;
    --size_;
    return true;
}

int WaitingLine::entriesPerJob() const { return kEntriesPerJob << std::min(unused_turns_, kMostDoublings); }

bool WaitingLine::keptForJobs(SteadyTime now) {
    if (!jobs_wait_ || entries_since_job_ < entriesPerJob()) return false;
    if (kept_until_ == SteadyTime{}) kept_until_ = now + kJobPatience;
    if (now < kept_until_) return true;
    ++unused_turns_;
    entries_since_job_ = 0;
    jobs_wait_ = false;
    kept_until_ = {};
    return false;
}

bool WaitingLine::jobsWait() {
    jobs_wait_ = true;
    return entries_since_job_ >= entriesPerJob();
}

bool WaitingLine::jobEntered() {
    entries_since_job_ = unused_turns_ = 0;
    jobs_wait_ = false;
    return std::exchange(kept_until_, SteadyTime{}) != SteadyTime{};
}

}  // namespace stepper::engine
