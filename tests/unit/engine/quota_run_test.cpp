// A pile of requests over rate-limited providers, in virtual time: nothing is refused, nothing is left
// unused.
#include <algorithm>
#include <deque>
#include <memory>
#include <queue>
#include <random>

#include <gtest/gtest.h>

#include "core/engine/dispatcher.h"

namespace stepper::engine {
namespace {

using namespace std::chrono_literals;
using Kind = limits::Report::Kind;

constexpr milliseconds kWindow = 5s;
enum class Windows { Sliding, FixedFromTheFirst, FixedByTheClock };

// Counts as a provider does: by what arrives, in its own windows.
class StrictProvider {
public:
    StrictProvider(int64_t limit, Windows kind) : limit_(limit), kind_(kind) {}
    bool take(SteadyTime now, int64_t units) {
        if (kind_ == Windows::Sliding) {
            while (!seen_.empty() && seen_.front().first <= now - kWindow) seen_.pop_front();
        } else if (now >= begins_ + kWindow) {
            begins_ = kind_ == Windows::FixedFromTheFirst ? now : now - now.time_since_epoch() % kWindow;
            seen_.clear();
        }
        int64_t used = units;
        for (const auto& [at, taken] : seen_) used += taken;
        if (used > limit_) return false;
        seen_.emplace_back(now, units);
        return true;
    }

private:
    const int64_t limit_;
    const Windows kind_;
    std::deque<std::pair<SteadyTime, int64_t>> seen_;
    SteadyTime begins_{};
};

struct Course {
    Windows windows = Windows::Sliding;
    bool tokens = false;    // the limits are on tokens, which every request takes 40 of
    bool one_dies = false;  // a fourth provider, which is gone after 12 s
};

class QuotaRun : public testing::TestWithParam<Course> {
protected:
    static constexpr int kRequests = 210;
    static constexpr int64_t kTokensIn = 30, kTokensOut = 10;
    static constexpr milliseconds kDeath = 12s;

    struct Upstream {
        std::unique_ptr<limits::Gate> gate;
        StrictProvider counts;
        bool mortal;
    };
    // Something that happens to a request on its way.
    struct Event {
        SteadyTime at;
        size_t provider;
        limits::Pass pass;
        bool arrives;  // else: its answer is here
        bool operator>(const Event& other) const { return at > other.at; }
    };

    void add(int64_t limit, bool mortal) {
        const auto& course = GetParam();
        limits::GateOptions options;
        options.concurrency = 1'000;
        const int64_t units = course.tokens ? limit * (kTokensIn + kTokensOut) : limit;
        if (course.tokens)
            options.limits.windows = {{{}, units, kWindow}};
        else
            options.limits.windows = {{units, {}, kWindow}};
        upstream_.push_back({std::make_unique<limits::Gate>(clock_, options, [] { return 0.5; }),
                             StrictProvider(units, course.windows), mortal});
        candidates_.push_back({upstream_.back().gate.get(), true, {}, {}});
    }

    milliseconds random(int from, int to) {
        return milliseconds(std::uniform_int_distribution<int>(from, to)(random_));
    }

    // One walk of a request; what it cannot enter waits for the soonest.
    void sendWhatMay() {
        while (waiting_ > 0) {
            Choice choice = choose(candidates_, {120, {}}, clock_.now(), nullptr);
            if (!choice.index) {
                soonest_ = choice.soonest;
                return;
            }
            --waiting_;
            upstream_[*choice.index].gate->sent(choice.pass);
            // Up to 8 ms to the provider: less than the margin for windows of 5 s.
            events_.push({clock_.now() + random(0, 8), *choice.index, choice.pass, true});
        }
        soonest_ = SteadyTime::max();
    }

    void happen(Event event) {
        Upstream& to = upstream_[event.provider];
        if (to.mortal && clock_.now() >= began_ + kDeath) {
            ++lost_;
            ++waiting_;
            to.gate->leave(event.pass, {Kind::Unreachable, {}, {}, {}});
        } else if (event.arrives) {
            refused_ += !to.counts.take(clock_.now(), GetParam().tokens ? kTokensIn + kTokensOut : 1);
            event.arrives = false;
            event.at = clock_.now() + random(1, 40);
            events_.push(event);
        } else {
            to.gate->hear(event.pass, {});
            ++done_;
            finished_ = clock_.now();
            to.gate->leave(event.pass, {Kind::Ok, {}, kTokensIn, kTokensOut});
        }
    }

    ManualClock clock_;
    const SteadyTime began_ = clock_.now();
    std::mt19937 random_{4242};
    std::vector<Upstream> upstream_;
    std::vector<Candidate> candidates_;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    SteadyTime soonest_{}, finished_{};
    int waiting_ = kRequests, done_ = 0, refused_ = 0, lost_ = 0;
};

TEST_P(QuotaRun, UsesAllThereIsAndIsNeverRefused) {
    if (GetParam().one_dies) add(10, true);
    for (const int64_t limit : {10, 20, 5}) add(limit, false);
    while (done_ < kRequests) {
        sendWhatMay();
        const SteadyTime next = std::min(soonest_, events_.empty() ? SteadyTime::max() : events_.top().at);
        ASSERT_LT(next, began_ + 60s);
        clock_.advance(std::max<std::chrono::nanoseconds>(next - clock_.now(), 0ns));
        while (!events_.empty() && events_.top().at <= clock_.now()) {
            const Event event = events_.top();
            events_.pop();
            happen(event);
        }
    }
    EXPECT_EQ(refused_, 0);
    EXPECT_LE(lost_, 10);
    // Five turns of the windows; with the fourth provider, too, since it does not live for the last ones.
    EXPECT_GE(finished_ - began_, 25s);
    EXPECT_LE(finished_ - began_, 25s * 1.02);
}

INSTANTIATE_TEST_SUITE_P(Courses, QuotaRun,
                         testing::Values(Course{Windows::Sliding}, Course{Windows::FixedFromTheFirst},
                                         Course{Windows::FixedByTheClock}, Course{Windows::Sliding, true},
                                         Course{Windows::Sliding, false, true}));

}  // namespace
}  // namespace stepper::engine
