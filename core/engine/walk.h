// A request's walk along its plan: whom it may ask next, what a try that failed means for it, and what it
// comes to when nobody answers. A pure machine: every call is given the time; nothing here enters, asks or
// waits, gates are only looked at.
#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "core/base/random.h"
#include "core/engine/choice.h"
#include "core/engine/conclusion.h"

namespace stepper::engine {

// Less time than this is not worth starting a call in.
inline constexpr milliseconds kMinCall{50};

// How a try went that brought no answer.
struct Trouble {
    Error error;
    bool heard = false;     // a response had begun
    bool unasked = false;   // this machine had not what asking takes
    bool answered = false;  // the provider had come to an end of its answer
    bool unwanted = false;  // the answer was not looked at to its end: nobody waits for it any more
};

// Belongs to one thread. Borrows the providers, the request and the options, which must not change.
class Walk {
public:
    // `chance` gives numbers in [0, 1).
    Walk(const std::vector<const ProviderEntry*>& plan, const GenerateRequest& request,
         const limits::Demand& demand, const RunOptions& options, SteadyTime deadline, SteadyTime now,
         std::function<double()> chance = stepper::chance);

    // Nobody is to be asked any more.
    void stop(Error why) { stop_ = std::move(why); }
    // Whether somebody may still be asked.
    bool goesOn(SteadyTime now) const { return !stop_ && !legs_.empty() && !outOfTime(now) && mayCall(); }
    // Those that may be, one for each leg, as they stand now.
    std::vector<Candidate> candidates() const;
    // A quick retry is due then; none when none is to be waited for.
    std::optional<SteadyTime> retryAt(SteadyTime now) const;
    // The candidates were looked at; the soonest moment worth coming back for, max() when there is none.
    void looked(SteadyTime soonest) { soonest_ = soonest; }

    // The leg's provider was entered and is asked now; this ends with failed() or answered(). The record is
    // the try's, which failed() completes.
    const AttemptRecord& begin(size_t leg);
    enum class Then {
        Next,        // somebody else, or one whose turn comes again by itself
        AnotherKey,  // the same provider is asked with another of its keys
        QuickRetry,  // likewise, the same after a moment
        Over,        // nobody else may be asked
    };
    Then failed(size_t leg, const Trouble& trouble, milliseconds took, SteadyTime now);
    // Its answer is taken; whoever comes before it in the plan was passed over.
    void answered(size_t leg, milliseconds took, SteadyTime now);
    // Nobody else will be asked: whoever may still be is passed over, for a reason that is told.
    void passOverRest(SteadyTime now) { passOverUpTo(legs_.size(), now); }
    // Whether all that may be asked can never take a request of this size; then they are passed over for it.
    bool isTooLargeForAll();

    // What it failed of. Whoever may still be asked is not.
    Failure conclusion(SteadyTime now) const;
    const Leg& leg(size_t i) const { return legs_[i]; }
    // In the order of the plan; the legs have none left.
    std::vector<AttemptRecord> takeRecords();
    bool outOfTime(SteadyTime now) const { return now + kMinCall >= deadline_; }
    // From 10, so that a running request differs from a waiting one, towards 90: the end is not ours to
    // announce.
    int progress() const;

private:
    void passOver(Leg& leg, std::string_view why, milliseconds ready_in = milliseconds{0});
    void passOverTooLarge(Leg& leg, uint64_t most_bytes);
    void passOverUpTo(size_t end, SteadyTime now);
    bool tellsOfRequest(const ProviderEntry& provider, const Trouble& trouble, SteadyTime now) const;
    bool isLastWord(const Trouble& trouble) const;
    bool takesAnotherKey(Leg& leg, const Trouble& trouble) const;
    bool retries(Leg& leg, const Trouble& trouble, SteadyTime now) const;
    bool mayCall() const { return !options_.tried || told_of_request_ < options_.tried->calls_left; }

    const GenerateRequest& request_;
    const RunOptions& options_;
    const limits::Demand demand_;
    const SteadyTime began_, deadline_;
    const std::function<double()> chance_;
    std::vector<Leg> legs_;
    int told_of_request_ = 0;                 // so many calls have
    SteadyTime soonest_ = SteadyTime::max();  // as the last look at the candidates found
    std::optional<Error> stop_;               // the error that ended it early
};

}  // namespace stepper::engine
