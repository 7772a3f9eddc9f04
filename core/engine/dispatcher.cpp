#include "core/engine/dispatcher.h"

#include <algorithm>
#include <tuple>

namespace stepper::engine {
namespace {

using limits::Denial;
using limits::Readiness;

// An open circuit is waited for this long at most; a quota or a slot until the deadline.
constexpr milliseconds kMaxCircuitWait{2'000};
// How late a waiting request may notice that its client is gone.
constexpr milliseconds kCancelCheck{100};
// While requests wait, a job enters after so many of them; its room is kept for it for so long.
constexpr int kEntriesPerJob = 4;
constexpr milliseconds kJobPatience{50};
// A request counts as one, and once more for every so many bytes.
constexpr double kBytesPerCost = 8192;
constexpr double kMostCost = 16;

double costOf(const limits::Demand& demand) {
    return std::min(1 + static_cast<double>(demand.bytes) / kBytesPerCost, kMostCost);
}

const Readiness* known(const Denials* denials, const limits::Gate* gate) {
    if (!denials) return nullptr;
    const auto found =
        std::find_if(denials->begin(), denials->end(), [&](const auto& d) { return d.first == gate; });
    return found == denials->end() ? nullptr : &found->second;
}

limits::Entry enterGate(limits::Gate& gate, const limits::Demand& demand, Denials* denials) {
    if (const auto* denial = known(denials, &gate)) return {{}, *denial};
    auto entry = gate.tryEnter(demand);
    if (!entry.pass && denials) denials->emplace_back(&gate, entry.readiness);
    return entry;
}

bool worthWaiting(const Readiness& r, SteadyTime now) {
    switch (*r.denied) {
        case Denial::RateLimited: return true;
        case Denial::CircuitOpen: return r.at <= now + kMaxCircuitWait;
        case Denial::Busy:
        case Denial::Disabled: break;
    }
    return false;
}

}  // namespace

Choice choose(std::span<const Candidate> candidates, const limits::Demand& demand, SteadyTime now,
              Denials* denials) {
    Choice out;
    for (size_t i = 0; i < candidates.size(); ++i) {
        const Candidate& c = candidates[i];
        if (!c.pending) continue;
        if (c.not_before > now) {
            out.soonest = std::min(out.soonest, c.not_before);
            break;
        }
        auto entry = enterGate(*c.gate, demand, denials);
        if (entry.pass) {
            out.index = i;
            out.pass = *std::move(entry.pass);
            return out;
        }
        const Readiness& r = entry.readiness;
        const bool slot_needed = r.denied == Denial::Busy;
        out.busy = out.busy || slot_needed;
        if (worthWaiting(r, now)) out.soonest = std::min(out.soonest, r.at);
        const bool held = now < c.hold_until && (slot_needed || r.at <= c.hold_until);
        if (!held) continue;
        // Its patience may end before a slot comes free.
        if (slot_needed) out.soonest = std::min(out.soonest, c.hold_until);
        break;
    }
    return out;
}

Dispatcher::Turn Dispatcher::tryEnter(std::span<const Candidate> candidates, const limits::Demand& demand) {
    Turn turn{choose(candidates, demand, clock_.now(), nullptr)};
    if (waiting_ == 0) return turn;
    std::lock_guard lock(mutex_);
    entries_since_job_ = 0;
    jobs_wait_ = false;
    if (std::exchange(kept_until_, SteadyTime{}) != SteadyTime{}) serve();
    return turn;
}

Dispatcher::Turn Dispatcher::enter(std::span<const Candidate> candidates, const limits::Demand& demand,
                                   std::string_view tenant, SteadyTime until, CancelToken& cancel) {
    if (waiting_ == 0) {
        Turn turn{choose(candidates, demand, clock_.now(), nullptr)};
        if (turn.choice.index || !turn.choice.hopeful(until)) return turn;
    }
    std::unique_lock lock(mutex_);
    Waiter waiter{candidates, demand};
    const auto [flow, is_new] = flows_.try_emplace(std::string(tenant));
    if (is_new) flow->second.served = virtual_time_;
    flow->second.waiters.push_back(&waiter);
    ++waiting_;
    serve();
    CancelReason cancelled = CancelReason::None;
    // served ones were removed by whoever served them
    while (!waiter.choice.index) {
        const SteadyTime now = clock_.now();
        if (now >= until || cancelled != CancelReason::None || !(any_busy_ || next_look_ < until)) {
            remove(flow, waiter);
            return {std::move(waiter.choice), cancelled};
        }
        if (now >= next_look_) {
            serve();
            continue;
        }
        waiter.granted.wait_until(lock, std::min({until, next_look_, now + kCancelCheck}));
        if (waiter.choice.index) break;
        lock.unlock();
        cancelled = cancel.check();
        lock.lock();
    }
    return {std::move(waiter.choice), CancelReason::None};
}

void Dispatcher::remove(Flows::iterator flow, const Waiter& waiter) {
    std::erase(flow->second.waiters, &waiter);
    if (flow->second.waiters.empty()) flows_.erase(flow);
    --waiting_;
}

// Called with the lock held. The flow that has been given least goes first; a flow nobody of which can enter
// is passed over until the next time.
void Dispatcher::serve() {
    const SteadyTime now = clock_.now();
    Denials denials;
    next_look_ = SteadyTime::max();
    any_busy_ = false;
    std::vector<Flows::iterator> order;
    for (auto it = flows_.begin(); it != flows_.end(); ++it) order.push_back(it);
    const auto by_served = [](const auto& a, const auto& b) {
        return std::tie(a->second.served, a->first) > std::tie(b->second.served, b->first);
    };
    std::make_heap(order.begin(), order.end(), by_served);
    while (!order.empty()) {
        if (keptForJobs(now)) return;
        std::pop_heap(order.begin(), order.end(), by_served);
        const auto flow = order.back();
        const double start = flow->second.served;
        if (!serveOne(flow->second, denials, now)) {
            order.pop_back();
            continue;
        }
        virtual_time_ = start;
        if (flow->second.waiters.empty()) {
            flows_.erase(flow);
            order.pop_back();
        } else {
            std::push_heap(order.begin(), order.end(), by_served);
        }
    }
}

bool Dispatcher::serveOne(Flow& flow, Denials& denials, SteadyTime now) {
    for (auto it = flow.waiters.begin(); it != flow.waiters.end(); ++it) {
        Waiter& waiter = **it;
        Choice choice = choose(waiter.candidates, waiter.demand, now, &denials);
        any_busy_ = any_busy_ || choice.busy;
        next_look_ = std::min(next_look_, choice.soonest);
        const bool served = choice.index.has_value();
        waiter.choice = std::move(choice);
        if (!served) continue;
        flow.served += costOf(waiter.demand);
        flow.waiters.erase(it);
        --waiting_;
        ++entries_since_job_;
        waiter.granted.notify_one();
        return true;
    }
    return false;
}

bool Dispatcher::keptForJobs(SteadyTime now) {
    if (!jobs_wait_ || entries_since_job_ < kEntriesPerJob) return false;
    if (kept_until_ == SteadyTime{}) kept_until_ = now + kJobPatience;
    if (now < kept_until_) {
        next_look_ = kept_until_;
        return true;
    }
    jobs_wait_ = false;
    kept_until_ = SteadyTime{};
    return false;
}

void Dispatcher::roomMade() {
    if (waiting_ > 0) {
        std::lock_guard lock(mutex_);
        serve();
    }
    if (room_made_) room_made_();
}

limits::Gate::Room Dispatcher::roomForJobs(limits::Gate::Room there_is) {
    if (waiting_ == 0) return there_is;
    std::lock_guard lock(mutex_);
    jobs_wait_ = true;
    const bool their_turn = entries_since_job_ >= kEntriesPerJob;
    const int left = their_turn ? 1 : there_is.now - waiting_;
    return {std::clamp(left, 0, there_is.now), there_is.more_at};
}

}  // namespace stepper::engine
