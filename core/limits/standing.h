// How a provider stands to one of our keys: how long it is to be left alone with it, and why. A pure state
// machine; every call is given the time. Not synchronised (limits::Gate locks).
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/limits/denial.h"

namespace stepper::limits {

class Standing {
public:
    // Left alone until then; in the past: it is not.
    SteadyTime until() const { return until_; }
    Denial why() const { return why_; }
    std::optional<SetAside> setAside() const { return set_aside_; }
    // With which the provider said that a quota is used up, while that lasts.
    std::string_view quotaWords(SteadyTime now) const;

    // A longer pause that was asked for before stays.
    void coolFor(SteadyTime now, Denial why, milliseconds pause);
    // A 429. `chance` in [0, 1): how much of the pause is taken where the provider names none.
    void limited(SteadyTime now, std::optional<milliseconds> retry_after, double chance);
    // A quota is used up. Without a word from the provider a day's quota comes back with the day, and
    // anything else nobody knows when.
    void spent(SteadyTime now, std::optional<milliseconds> retry_after,
               std::optional<milliseconds> day_resets_in, std::string words);
    // Whether that is news.
    bool putAside(SteadyTime now, SetAside why, std::optional<milliseconds> retry_after);
    // A call ended well.
    void well();
    // Another key, model or URL: what the one before was refused for is over.
    void retarget();

    // Whether anything that save() keeps has changed since it was asked last.
    bool takeChange() { return std::exchange(changed_, false); }
    // Members of the object that `w` is in: how much is left from now on.
    void save(SteadyTime now, json::Writer& w) const;
    // `age`: how long ago it was saved. False when it is no such object, and then nothing changes.
    bool restore(SteadyTime now, const json::Value& saved, milliseconds age);

private:
    SteadyTime until_{};
    Denial why_ = Denial::RateLimited;
    int limits_in_row_ = 0, refusals_in_row_ = 0;
    std::optional<SetAside> set_aside_;
    std::string quota_words_;
    SteadyTime quota_until_{};
    bool changed_ = false;
};

}  // namespace stepper::limits
