// Random calls against a model that keeps everything that ever happened and works every answer out from that.
#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/limits/breaker.h"

namespace stepper::limits {
namespace {

using namespace std::chrono_literals;
using State = Breaker::State;
using Outcome = Breaker::Outcome;

class Model {
public:
    Model(BreakerOptions options, std::function<double()> chance)
        : options_(options), chance_(std::move(chance)), spells_{{State::Closed, SteadyTime{}, {}}} {}

    State state(SteadyTime now) {
        if (spells_.back().state == State::Open && now >= spells_.back().until) begin(State::HalfOpen, now);
        return spells_.back().state;
    }

    SteadyTime readyAt(SteadyTime now) {
        if (state(now) == State::Open) return spells_.back().until;
        if (!probing(now)) return now;
        return calls_[last_probe_].entered + options_.probe_lease;
    }

    size_t enter(SteadyTime now) {
        state(now);
        calls_.push_back({spells_.size(), now, false});
        last_probe_ = calls_.size() - 1;
        return last_probe_;
    }

    void leave(SteadyTime now, size_t call, Outcome outcome) {
        const State in = state(now);
        if (calls_[call].spell != spells_.size()) return;
        if (in == State::HalfOpen && call != last_probe_) return;
        calls_[call].left = true;
        if (outcome == Outcome::Neutral) return;
        outcomes_.push_back({spells_.size(), now, outcome});
        if (outcome == Outcome::Ok) {
            const int ok = outcomesOf(spells_.size(), Outcome::Ok);
            if (in == State::HalfOpen && ok == options_.probes) begin(State::Closed, now);
            return;
        }
        const auto seen = counts(now);
        const bool rate = seen.ok + seen.failed >= options_.min_calls &&
                          seen.failed >= options_.failure_rate * (seen.ok + seen.failed);
        if (in == State::HalfOpen || rate || unreachableInRow() >= options_.consecutive) open(now);
    }

    Breaker::Counts counts(SteadyTime now) {
        // While it is open, what came before the opening.
        const size_t spell = spells_.size() - (state(now) == State::Open ? 1 : 0);
        Breaker::Counts seen;
        for (const auto& o : outcomes_) {
            if (o.spell != spell || bucket(o.at) <= bucket(now) - 10) continue;
            ++(o.outcome == Outcome::Ok ? seen.ok : seen.failed);
        }
        return seen;
    }

    int unreachableInRow() const {
        int row = 0;
        for (auto o = outcomes_.rbegin(); o != outcomes_.rend() && o->outcome == Outcome::Unreachable; ++o)
            ++row;
        return row;
    }

private:
    struct Spell {
        State state;
        SteadyTime since, until;
    };
    struct Call {
        size_t spell;  // how many there were when it entered
        SteadyTime entered;
        bool left;
    };
    struct Counted {
        size_t spell;
        SteadyTime at;
        Outcome outcome;
    };

    bool probing(SteadyTime now) {
        if (state(now) != State::HalfOpen || calls_.empty()) return false;
        const Call& last = calls_[last_probe_];
        return last.spell == spells_.size() && !last.left && now < last.entered + options_.probe_lease;
    }

    int64_t bucket(SteadyTime at) const { return at.time_since_epoch() / (options_.window / 10); }

    int outcomesOf(size_t spell, Outcome outcome) const {
        int n = 0;
        for (const auto& o : outcomes_) n += o.spell == spell && o.outcome == outcome;
        return n;
    }

    void begin(State state, SteadyTime now) { spells_.push_back({state, now, {}}); }

    void open(SteadyTime now) {
        int row = 1;
        auto end_of_spell = now;
        for (auto s = spells_.rbegin(); s != spells_.rend(); ++s) {
            if (s->state == State::Closed && end_of_spell - s->since >= 10min) break;
            row += s->state == State::Open;
            end_of_spell = s->since;
        }
        auto length = options_.open_for;
        for (int i = 1; i < row; ++i) length = std::min(2 * length, options_.max_open_for);
        const auto jittered = milliseconds{std::llround(length.count() * (0.8 + 0.4 * chance_()))};
        begin(State::Open, now);
        spells_.back().until = now + jittered;
    }

    BreakerOptions options_;
    std::function<double()> chance_;
    std::vector<Spell> spells_;
    std::vector<Call> calls_;
    std::vector<Counted> outcomes_;
    size_t last_probe_ = 0;
};

std::function<double()> chanceFrom(unsigned seed) {
    return [random = std::mt19937(seed)]() mutable {
        return std::uniform_real_distribution<double>(0, 1)(random);
    };
}

struct Seen {
    int opened = 0, probed = 0, closed = 0;
};

void replay(unsigned seed, Seen& total) {
    std::mt19937 random(seed);
    const auto upTo = [&random](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
    const BreakerOptions options{.window = milliseconds{1000 * (1 + upTo(60))},
                                 .min_calls = 1 + upTo(15),
                                 .failure_rate = 0.25 * (1 + upTo(3)),
                                 .consecutive = 1 + upTo(6),
                                 .open_for = milliseconds{1 + upTo(20'000)},
                                 .max_open_for = milliseconds{20'001 + upTo(200'000)},
                                 .probes = 1 + upTo(3),
                                 .probe_lease = milliseconds{1 + upTo(30'000)}};
    Breaker breaker(options, chanceFrom(seed));
    Model model(options, chanceFrom(seed));
    SteadyTime now{1h};
    struct Inside {
        Breaker::Pass pass;
        size_t call;
    };
    std::vector<Inside> inside;
    State before = State::Closed;
    for (int step = 0; step < 3000; ++step) {
        SCOPED_TRACE("seed " + std::to_string(seed) + ", step " + std::to_string(step));
        const int what = upTo(99);
        if (what < 30) {
            now += milliseconds{upTo(what < 1 ? 1'000'000 : what < 10 ? 10'000 : 500)};
        } else if (what < 33) {
            now = model.readyAt(now);  // to the edges
        } else if (what < 65) {
            ASSERT_EQ(breaker.readyAt(now), model.readyAt(now));
            if (model.readyAt(now) == now) inside.push_back({breaker.enter(now), model.enter(now)});
        } else if (!inside.empty()) {
            std::swap(inside[upTo(static_cast<int>(inside.size()) - 1)], inside.back());
            const int luck = upTo(9);
            const auto outcome = luck < 5   ? Outcome::Ok
                                 : luck < 7 ? Outcome::Failed
                                 : luck < 9 ? Outcome::Unreachable
                                            : Outcome::Neutral;
            breaker.leave(now, inside.back().pass, outcome);
            model.leave(now, inside.back().call, outcome);
            inside.pop_back();
        }
        const State state = model.state(now);
        ASSERT_EQ(breaker.state(now), state);
        ASSERT_EQ(breaker.readyAt(now), model.readyAt(now));
        ASSERT_EQ(breaker.counts(now).ok, model.counts(now).ok);
        ASSERT_EQ(breaker.counts(now).failed, model.counts(now).failed);
        ASSERT_EQ(breaker.unreachableInRow(), model.unreachableInRow());
        total.opened += before != state && state == State::Open;
        total.probed += before == State::Open && state == State::HalfOpen;
        total.closed += before != state && state == State::Closed;
        before = state;
    }
}

TEST(BreakerModelTest, AgreesWithTheModelOnEveryStep) {
    Seen total;
    for (unsigned seed = 1; seed <= 30 && !testing::Test::HasFailure(); ++seed) replay(seed, total);
    EXPECT_GT(total.opened, 500);
    EXPECT_GT(total.probed, 500);
    EXPECT_GT(total.closed, 100);
}

}  // namespace
}  // namespace stepper::limits
