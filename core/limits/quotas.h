// The quotas of one provider, all windows together: when a request may go, what it uses, what the provider
// says is left. Pure; not synchronised (limits::Gate locks).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/config/config.h"
#include "core/limits/day_window.h"
#include "core/limits/hints.h"
#include "core/limits/sliding_window.h"

namespace stepper::limits {

// What one send takes. Tokens are an estimate until the answer tells.
struct Cost {
    int64_t tokens_in = 0, tokens_out = 0;
    int64_t tokens() const { return tokens_in + tokens_out; }
};

// A reservation in every window. A value that belongs to whoever reserved; it ends in exactly one of cancel()
// and settle().
struct Permit {
    Cost cost;
    int64_t number = 0;         // 1, 2, ... per provider
    int64_t tokens_so_far = 0;  // estimates of all permits up to this one
    SteadyTime reserved{};
    std::optional<SteadyTime> sent;  // set by sent()
    std::optional<SteadyTime> seen;  // set by arrived()
};

// A window as it is shown.
struct QuotaState {
    std::string name;  // "rpm", "tpd", "10 requests per 5s"
    Unit unit = Unit::Requests;
    int64_t limit = 0;  // in force: at most the configured one
    int64_t used = 0;   // never negative; may exceed the limit
    int64_t configured = 0;
    milliseconds more_in{0};   // until at least one unit more is free; 0 when one is
    milliseconds reset_in{0};  // until all of it is free; 0 when it is
};

class Quotas {
public:
    // The clock must outlive it. Time zones were checked with the configuration; an unknown one is UTC.
    Quotas(const config::Limits& limits, const Clock& clock);
    // Other limits: windows that are in both keep what was used.
    void reconfigure(const config::Limits& limits);

    // The soonest moment at which the cost fits into every window and what the provider said is left; now
    // when at once. An estimate while permits are out or limits are lowered: ask again then, and whenever a
    // permit ends.
    SteadyTime readyAt(const Cost& cost);
    // The same if the answers that are under way come to nothing: what they have is an estimate until they
    // end.
    SteadyTime readyAtBest(const Cost& cost);
    Permit reserve(const Cost& cost);
    // The request is on its way; the first call counts. Input counts from here, output until settled.
    void sent(Permit& permit);
    // Its answer begins: the provider has seen it. The first call counts.
    void arrived(Permit& permit);
    // It never left: as if it had not been reserved.
    void cancel(const Permit& permit);
    // It is over. `actual`: what the provider reports; a part it does not report stays as estimated. Without
    // an answer (`answered` false) only the input was used.
    struct Actual {
        bool answered = true;
        std::optional<int64_t> tokens_in, tokens_out;
    };
    void settle(const Permit& permit, const Actual& actual);

    // What an answer's headers said. `permit` is that request's: sends after it are not in the numbers yet.
    void learn(const std::vector<Allowance>& said, const Permit& permit);
    // A 429 although the windows had room: they are narrower than configured. Lowers the limits in force to
    // 70 % at most once per kRefusalPause, in all to a tenth; they recover by 5 % of the configured ones a
    // minute. Windows of a day or longer are left alone.
    static constexpr milliseconds kRefusalPause{30'000};
    void refused();

    // Whether any window counts by the day, and when the next of those days begins.
    std::optional<milliseconds> dayResetIn();
    std::vector<QuotaState> state();
    bool unlimited() const;  // no window configured
    // The most tokens any one request may ever have, by the narrowest window that counts them; the largest
    // number when none does. A limit that is lowered for a while does not count: it comes back.
    int64_t mostTokens(SteadyTime now);
    // Whether it matters how many tokens a request has.
    bool countsTokens() const;
    // How many requests of this cost could be sent from now to now + ahead; the largest number when nothing
    // limits them. Exact for one window and an upper bound when several interact, as each is taken alone.
    // What providers said is left is not looked at.
    int64_t sendsWithin(milliseconds ahead, const Cost& each);

    // Keeping across restarts. save() gives the state as text, counting permits that are out and some more as
    // used, and the number of the last permit it so covers; confirm() when that text is durable; covers()
    // then tells of a permit whether a crash could forget it. final: nothing is out any more, no spare.
    struct Saved {
        std::string text;
        int64_t covers = 0;
    };
    Saved save(bool final);
    void confirm(int64_t covers);
    bool covers(const Permit& permit) const { return unlimited() || permit.number <= covered_; }
    // Takes over a text of save(), of any earlier configuration; false when it is not one, then nothing
    // changes.
    // `age`: how long ago it was saved, by a clock that cannot be set; without it the wall clock is asked.
    bool restore(std::string_view text, std::optional<milliseconds> age = {});

private:
    struct Units {
        int64_t requests = 0, tokens = 0;
        int64_t of(Unit unit) const { return unit == Unit::Requests ? requests : tokens; }
    };
    // What the provider says a limit is.
    struct Learned {
        std::optional<int64_t> limit;
        SteadyTime lowest_at{}, heard_at{};
        void hear(int64_t said, SteadyTime now);
        int64_t orConfigured(int64_t configured, SteadyTime now);
    };
    struct Sliding {
        std::string name;
        Unit unit;
        int64_t configured;
        SlidingWindow window;
        Learned learned = {};
    };
    struct Daily {
        std::string name;
        Unit unit;
        int64_t configured;
        milliseconds margin;
        DayWindow window;
        Learned learned = {};
    };
    // What the provider said is left, until when; one for each unit and length. Permits up to `after` are no
    // longer in it.
    struct Credit {
        Unit unit;
        std::optional<milliseconds> per;
        int64_t left;
        SteadyTime until;
        int64_t after;
    };

    static std::vector<Sliding> slidingOf(const config::Limits& limits);
    static std::vector<Daily> dailyOf(const config::Limits& limits);

    // `back`: so many tokens of what is reserved do not count.
    SteadyTime readyAt(const Cost& cost, int64_t back);
    // Sets the limits that are in force now.
    void applyLimits(SteadyTime now);
    DayTime dayTime() const;
    double shareAt(SteadyTime now) const;
    Learned* learnedFor(const Allowance& said);
    void correct(const Permit& permit, const Units& delta);
    int64_t spare() const;

    const Clock& clock_;
    std::vector<Sliding> sliding_;
    std::vector<Daily> daily_;
    std::vector<Credit> credits_;
    Units out_;                // reserved and not yet stamped: what every sliding window has as reservations
    int64_t answers_out_ = 0;  // the part of it that is estimates of answers
    int64_t number_ = 0, covered_ = 0;
    int64_t tokens_so_far_ = 0, last_tokens_ = 0;
    double share_ = 1.0;  // of the configured limits, at refused_at_
    std::optional<SteadyTime> refused_at_;
};

}  // namespace stepper::limits
