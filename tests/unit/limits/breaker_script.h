// Calls to a breaker as a table in virtual time. A row is a script and what is seen after it: the state,
// successes and failures counted, and how often in a row the provider was unreachable. In a script, with an
// optional count:
//   S F U X  a call that succeeds, fails, does not reach the provider, says nothing
//   A        a call that enters and stays; s f u x: the one that stayed longest leaves
//   T250     250 ms pass
//   N N250   nobody may enter; not for 250 ms, if nothing is reported
#pragma once
#include <cctype>
#include <deque>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/limits/breaker.h"

namespace stepper::limits {

using namespace std::chrono_literals;
using State = Breaker::State;
using Outcome = Breaker::Outcome;

inline Outcome outcomeOf(char letter) {
    switch (std::toupper(letter)) {
        case 'S': return Outcome::Ok;
        case 'F': return Outcome::Failed;
        case 'U': return Outcome::Unreachable;
        default: return Outcome::Neutral;
    }
}

inline std::string name(State state) {
    return state == State::Closed ? "closed" : state == State::Open ? "open" : "half-open";
}

struct Row {
    const char* script;
    const char* seen;
};

class BreakerTest : public testing::Test {
protected:
    void run(BreakerOptions options, const std::vector<Row>& rows) {
        Breaker breaker(options, [this] { return chance_; });
        held_.clear();
        for (size_t i = 0; i < rows.size(); ++i) {
            SCOPED_TRACE("row " + std::to_string(i) + ": " + rows[i].script);
            std::istringstream script(rows[i].script);
            for (std::string event; script >> event;) play(breaker, event);
            EXPECT_EQ(seen(breaker), rows[i].seen);
            if (HasFailure()) return;
        }
    }

    std::string seen(Breaker& breaker) const {
        const auto counts = breaker.counts(now_);
        std::ostringstream out;
        out << name(breaker.state(now_)) << ' ' << counts.ok << ' ' << counts.failed << ' '
            << breaker.unreachableInRow();
        return out.str();
    }

    // As long as nobody may enter.
    milliseconds shutFor(Breaker& breaker) const {
        return std::chrono::duration_cast<milliseconds>(breaker.readyAt(now_) - now_);
    }

    void play(Breaker& breaker, const std::string& event) {
        const char what = event[0];
        const bool counted = event.size() > 1 && std::isdigit(event[1]);
        const int number = counted ? std::stoi(event.substr(1)) : 1;
        if (what == 'T') {
            now_ += milliseconds{number};
        } else if (what == 'N') {
            EXPECT_GT(breaker.readyAt(now_), now_);
            if (counted) {
                EXPECT_EQ(shutFor(breaker), milliseconds{number});
            }
        } else {
            for (int i = 0; i < number; ++i) call(breaker, event);
        }
    }

    void call(Breaker& breaker, const std::string& event) {
        const bool arrives = std::isupper(event[0]);
        if (arrives) {
            ASSERT_EQ(breaker.readyAt(now_), now_) << event << " may not enter";
            held_.push_back(breaker.enter(now_));
        }
        if (event[0] == 'A') return;
        ASSERT_FALSE(held_.empty());
        const auto pass = arrives ? held_.back() : held_.front();
        arrives ? held_.pop_back() : held_.pop_front();
        breaker.leave(now_, pass, outcomeOf(event[0]));
    }

    SteadyTime now_{1h};
    double chance_ = 0.5;  // no jitter
    std::deque<Breaker::Pass> held_;
};

}  // namespace stepper::limits
