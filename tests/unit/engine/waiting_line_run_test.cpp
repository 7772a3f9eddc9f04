// Requests of unequal sizes, providers and patience come, go, are cancelled and served while calls end and
// limits change, for a hundred thousand steps; a simple model that remembers nothing says what is right.
#include <algorithm>
#include <list>
#include <map>
#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "core/engine/waiting_line.h"

namespace stepper::engine {
namespace {

using namespace std::chrono_literals;
using Kind = limits::Report::Kind;

constexpr milliseconds kGrid{10}, kWindow{10s};  // windows keep their stamps in steps of a grid
constexpr int kSteps = 50'000;                   // of each of two runs
constexpr size_t kGates = 4;

// A provider as the rules describe it.
struct ModelGate {
    int slots = 1, in_flight = 0;
    std::optional<int64_t> requests, tokens;  // in any ten seconds
    struct Sent {
        SteadyTime at;
        int64_t requests, tokens;
    };
    std::vector<Sent> log;
    int64_t reserved = 0;  // tokens of answers under way
    SteadyTime cooling_until{};
    limits::Denial cooling_for{};

    // The priors of an estimate that never learns: a token in 3.6 bytes, and eight of the envelope.
    static int64_t tokensIn(const limits::Demand& d) { return static_cast<int64_t>(d.bytes) * 5 / 18 + 8; }
    static int64_t tokensOut(const limits::Demand& d) {
        return std::min<int64_t>(d.max_tokens.value_or(512), 512);
    }

    // When it fits into what was sent, `open` being as if it were sent now.
    SteadyTime fits(SteadyTime now, int64_t limit, int64_t cost, int64_t Sent::*unit, int64_t open) const {
        int64_t too_many = std::min(cost, limit) + open - limit;
        for (const Sent& sent : log) too_many += sent.*unit;
        SteadyTime at = now;
        // In the order in which they were sent they cease to count.
        for (const Sent& sent : log) {
            if (too_many <= 0 && sent.at + kWindow > now) break;
            too_many -= sent.*unit;
            at = std::max(now, sent.at + kWindow);
        }
        return too_many <= 0 ? at : now + kWindow;
    }
    // Why not, when it may change at best, and whether a call's end may change it; nothing when it can go
    // now.
    struct Denied {
        limits::Denial why;
        SteadyTime at_best;
        bool a_call_helps = false;
    };
    std::optional<Denied> denies(SteadyTime now, const limits::Demand& d) const {
        using limits::Denial;
        if (tokens && d.bytes > static_cast<uint64_t>(*tokens) * 4)
            return {{Denial::TooLarge, SteadyTime::max()}};
        if (now < cooling_until) return {{cooling_for, cooling_until}};
        const int64_t cost = tokensIn(d) + tokensOut(d);
        const SteadyTime for_requests = requests ? fits(now, *requests, 1, &Sent::requests, 0) : now;
        const SteadyTime for_tokens = tokens ? fits(now, *tokens, cost, &Sent::tokens, reserved) : now;
        if (std::max(for_requests, for_tokens) > now) {
            const SteadyTime without_answers = tokens ? fits(now, *tokens, cost, &Sent::tokens, 0) : now;
            const SteadyTime at_best = std::max(for_requests, without_answers);
            return {{Denial::RateLimited, at_best, at_best == now}};
        }
        if (in_flight >= slots) return {{Denial::Busy, SteadyTime::max(), true}};
        return {};
    }
    void enter(SteadyTime now, const limits::Demand& d) {
        ++in_flight;
        std::erase_if(log, [now](const Sent& sent) { return sent.at + kWindow <= now; });
        log.push_back({now, 1, tokensIn(d)});
        reserved += tokensOut(d);
    }
    void leave(SteadyTime now, const limits::Demand& d, bool answered) {
        --in_flight;
        reserved -= tokensOut(d);
        if (answered) log.push_back({now, 0, tokensOut(d)});
    }
};

// One that waits, in both worlds.
struct Request {
    WaitingLine::Waiter waiter{};
    std::string tenant;
    std::vector<Candidate> candidates;
    std::vector<size_t> gates;  // of the candidates
    int number = 0;
};

struct Call {
    size_t gate;
    limits::Pass pass;
};

class WaitingLineRun : public testing::TestWithParam<uint64_t> {
protected:
    WaitingLineRun() : random_(GetParam()) {
        for (size_t i = 0; i < kGates; ++i) {
            models_[i].requests = i == 1 ? std::optional<int64_t>(6) : std::nullopt;
            models_[i].tokens = i >= 2 ? std::optional<int64_t>(3'000) : std::nullopt;
            gates_.push_back(
                std::make_unique<limits::Gate>(clock_, optionsOf(models_[i]), [] { return 0.5; }));
        }
    }
    int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
    SteadyTime now() const { return clock_.now(); }

    static limits::GateOptions optionsOf(const ModelGate& model) {
        limits::GateOptions out;
        out.concurrency = model.slots;
        out.limits.skew = 0ms;
        if (model.requests || model.tokens) out.limits.windows = {{model.requests, model.tokens, kWindow}};
        out.breaker.min_calls = out.breaker.consecutive = 1'000'000;
        return out;
    }

    // The model of who goes.

    struct Found {
        std::optional<size_t> index;
        bool hope = false;
    };
    Found find(const Request& r) const {
        Found out;
        const SteadyTime until = r.waiter.until;
        for (size_t i = 0; i < r.candidates.size(); ++i) {
            const Candidate& c = r.candidates[i];
            if (c.not_before > now()) {
                out.hope = out.hope || c.not_before < until;
                return out;
            }
            const auto denied = models_[r.gates[i]].denies(now(), r.waiter.demand);
            if (!denied) return {i, true};
            const auto [why, at_best, a_call_helps] = *denied;
            const bool is_held = now() < c.hold_until &&
                                 (a_call_helps || (at_best != SteadyTime::max() && at_best <= c.hold_until));
            const bool in_reach = why == limits::Denial::RateLimited || at_best <= now() + 2s || is_held;
            out.hope = out.hope || a_call_helps || (in_reach && at_best < until);
            if (is_held) return out;
        }
        return out;
    }
    double& servedOf(const std::string& tenant) { return served_[tenant]; }
    bool waits(const std::string& tenant) const {
        return std::ranges::any_of(line_model_, [&](const Request* r) { return r->tenant == tenant; });
    }
    std::pair<Request*, size_t> nextByModel() {
        std::vector<std::pair<double, std::string>> tenants;
        for (const auto& [tenant, served] : served_)
            if (waits(tenant)) tenants.emplace_back(served, tenant);
        std::ranges::sort(tenants);
        for (const auto& [served, tenant] : tenants)
            for (Request* r : line_model_)
                if (r->tenant == tenant)
                    if (const auto found = find(*r); found.index) return {r, *found.index};
        return {nullptr, 0};
    }

    // Serves in both worlds and compares.
    void serve() {
        std::vector<std::pair<int, size_t>> right, real;
        std::vector<int> right_sent_away, real_sent_away;
        for (auto [r, index] = nextByModel(); r; std::tie(r, index) = nextByModel()) {
            models_[r->gates[index]].enter(now(), r->waiter.demand);
            virtual_time_ = servedOf(r->tenant);
            servedOf(r->tenant) += std::min(1 + static_cast<double>(r->waiter.demand.bytes) / 8192, 16.0);
            std::erase(line_model_, r);
            right.emplace_back(r->number, index);
        }
        std::erase_if(line_model_, [&](const Request* r) {
            const bool goes = !find(*r).hope;
            if (goes) right_sent_away.push_back(r->number);
            return goes;
        });
        for (auto* waiter : line_.serve(now())) {
            Request& r = *std::ranges::find(requests_, waiter, [](Request& q) { return &q.waiter; });
            if (waiter->waits) continue;
            if (waiter->choice.index) {
                real.emplace_back(r.number, *waiter->choice.index);
                auto& call = calls_.emplace_back(r.gates[*waiter->choice.index], waiter->choice.pass);
                gates_[call.gate]->sent(call.pass);
            } else {
                real_sent_away.push_back(r.number);
            }
            std::erase_if(requests_, [&](const Request& q) { return &q == &r; });
        }
        std::ranges::sort(right_sent_away);
        std::ranges::sort(real_sent_away);
        served_count_ += static_cast<int>(real.size());
        sent_away_count_ += static_cast<int>(real_sent_away.size());
        ASSERT_EQ(real, right) << "who goes, in which order, and where";
        ASSERT_EQ(real_sent_away, right_sent_away) << "whose hope is gone";
        ASSERT_EQ(static_cast<size_t>(line_.size()), line_model_.size());
    }

    // What may happen.

    void arrive() {
        if (requests_.size() > 24) return;
        Request& r = requests_.emplace_back();
        r.number = ++number_;
        r.tenant = std::string(1, static_cast<char>('a' + below(3)));
        constexpr int kSizes[] = {0, 36, 360, 3'600, 7'200, 10'800, 14'400};
        r.waiter.demand.bytes = static_cast<uint64_t>(kSizes[below(7)]);
        if (below(5) > 0) r.waiter.demand.max_tokens = below(3) * 100;
        for (size_t i = 0; i < kGates; ++i)
            if (below(2) == 0) r.gates.push_back(i);
        if (r.gates.empty()) r.gates.push_back(static_cast<size_t>(below(kGates)));
        std::ranges::shuffle(r.gates, random_);
        for (const size_t gate : r.gates) {
            Candidate c{gates_[gate].get()};
            if (below(6) == 0) c.hold_until = now() + below(300) * kGrid;
            if (below(20) == 0) c.not_before = now() + below(50) * kGrid;
            r.candidates.push_back(c);
        }
        r.waiter.candidates = r.candidates;
        r.waiter.tenant = r.tenant;
        r.waiter.until = now() + (1 + below(below(2) ? 2'000 : 100)) * kGrid;
        if (!waits(r.tenant)) servedOf(r.tenant) = virtual_time_;
        line_model_.push_back(&r);
        line_.join(r.waiter);
    }
    void endCall() {
        if (calls_.empty()) return;
        const auto call = std::next(calls_.begin(), below(static_cast<int>(calls_.size())));
        ModelGate& model = models_[call->gate];
        limits::Report report{below(3) == 0 ? Kind::Neutral : Kind::Ok};
        if (const int fate = below(40); fate < 2) {
            report.kind = fate == 0 ? Kind::QuotaExhausted : Kind::Failed;
            report.retry_after = (25 + below(600)) * kGrid;
            const SteadyTime until = now() + *report.retry_after;
            if (until > model.cooling_until) {
                model.cooling_until = until;
                model.cooling_for = fate == 0 ? limits::Denial::RateLimited : limits::Denial::CircuitOpen;
            }
        }
        model.leave(now(), call->pass.demand, report.kind == Kind::Ok);
        gates_[call->gate]->leave(call->pass, report);
        calls_.erase(call);
    }
    void giveUp() {
        if (requests_.empty()) return;
        takeOut(std::next(requests_.begin(), below(static_cast<int>(requests_.size()))));
    }
    void takeOut(std::list<Request>::iterator r) {
        line_.leave(r->waiter);
        std::erase(line_model_, &*r);
        requests_.erase(r);
    }
    void reload() {
        const auto i = static_cast<size_t>(below(kGates));
        ModelGate& model = models_[i];
        model.slots = 1 + below(3);
        if (model.requests) model.requests = 1 + below(12);
        if (model.tokens) model.tokens = 500 + 500 * below(8);
        gates_[i]->reconfigure(optionsOf(model));
    }
    // Time passes as for threads that sleep until their moment: who could go before it was passed over.
    void pass(int ticks) {
        for (; ticks > 0 && !HasFatalFailure(); --ticks) {
            clock_.advance(kGrid);
            for (auto r = requests_.begin(); r != requests_.end();) {
                const auto next = std::next(r);
                if (r->waiter.until <= now()) takeOut(r);
                r = next;
            }
            if (std::ranges::any_of(requests_, [&](const Request& r) { return r.waiter.look_at <= now(); }))
                serve();
            for (const Request* r : line_model_) {
                const auto found = find(*r);
                ASSERT_FALSE(found.index) << "request " << r->number << " was passed over";
                ASSERT_TRUE(found.hope) << "request " << r->number << " waits beyond its hope";
            }
        }
    }

    std::mt19937_64 random_;
    ManualClock clock_;
    std::vector<std::unique_ptr<limits::Gate>> gates_;
    ModelGate models_[kGates];
    WaitingLine line_;
    std::list<Request> requests_;
    std::list<Call> calls_;
    std::vector<Request*> line_model_;  // in order of arrival
    std::map<std::string, double> served_;
    double virtual_time_ = 0;
    int number_ = 0, served_count_ = 0, sent_away_count_ = 0;
};

TEST_P(WaitingLineRun, EachIsServedAsSoonAsItCanBeAndSentAwayAsSoonAsItCannot) {
    for (int step = 0; step < kSteps && !HasFatalFailure(); ++step) {
        SCOPED_TRACE("step " + std::to_string(step) + ", seed " + std::to_string(GetParam()));
        const int what = below(100);
        if (what < 35) {
            arrive();
        } else if (what < 65) {
            endCall();
        } else if (what < 70) {
            giveUp();
        } else if (what < 72) {
            reload();
        } else {
            pass(1 + below(8));
            continue;
        }
        serve();
    }
    EXPECT_GT(served_count_, kSteps / 20);
    EXPECT_GT(sent_away_count_, kSteps / 100);
}

INSTANTIATE_TEST_SUITE_P(Seeds, WaitingLineRun, testing::Values(1, 2));

}  // namespace
}  // namespace stepper::engine
