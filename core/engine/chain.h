// One request's walk along its plan: which providers were tried, which passed over, and how it ended.
#pragma once
#include <vector>

#include "core/engine/attempt.h"
#include "core/engine/chat_request.h"
#include "core/engine/classify.h"
#include "core/engine/conclusion.h"
#include "core/engine/engine.h"
#include "core/engine/held_slot.h"

namespace stepper::engine {

// Less time than this is not worth starting a call in.
inline constexpr milliseconds kMinCall{50};

// Lives for one Engine::generate call, on its thread.
class Chain {
public:
    Chain(Engine& engine, const Snapshot& snapshot, const GenerateRequest& request, SteadyTime deadline,
          CancelToken& cancel, const RunOptions& options);

    // An answer or a failure, never the fallback.
    Outcome run();
    // The same failure as run() would come to, when all providers there are can only be passed over for the
    // request's size; else none. Asks nobody.
    std::optional<Outcome> tooLarge();

private:
    // How a try went, when it brought no answer.
    struct Trouble {
        Error error;
        bool heard = false;     // a response had begun
        bool unasked = false;   // see Attempted
        bool answered = false;  // the provider had come to an end of its answer
        bool unwanted = false;  // the answer was not looked at to its end: nobody waits for it any more
    };

    // Enters the first provider that is ready, waiting for one where the caller waits; none when there is
    // none.
    std::optional<size_t> next(std::optional<HeldSlot>& slot);
    void sleepUntilRetry();
    // Tries the leg, whose slot is held until its call is over. True when the walk is over: answered, or no
    // other may be asked.
    bool tryLeg(size_t leg, std::optional<HeldSlot>& slot);
    // Calls the provider; the slot is told what its gate should learn.
    std::optional<Trouble> call(const ProviderEntry& provider, HeldSlot& slot, plugin::Answer& answer);
    void tell(const ProviderEntry& provider, const Trouble& trouble, const AttemptRecord& record) const;
    void count(const config::Provider& provider, const Attempted& got);
    limits::Report reportOn(const Error& error, SteadyTime until) const;
    // Whether the same provider is asked once more, and arranges for it.
    bool retries(size_t leg, const Trouble& trouble);
    // Likewise, with another of its keys.
    bool takesAnotherKey(size_t leg, const Trouble& trouble);
    Outcome failed();
    // With the story of the walk.
    Outcome told();
    void succeed(size_t leg, plugin::Answer answer, output::Processed processed, milliseconds took);
    void skip(size_t leg, std::string_view why, milliseconds ready_in = milliseconds{0});
    void skipTooLarge(size_t leg, uint64_t most_bytes);
    // Those that were not asked, up to that leg, with why.
    void skipPending(size_t end);
    void tellProgress() const;
    // Why nobody waits for an answer that is there, if so. A server that ends does: it was paid for.
    std::optional<Error> unwanted() const;
    bool tellsOfRequest(const ProviderEntry& provider, const Trouble& trouble) const;
    bool isLastWord(const Trouble& trouble) const;
    bool mayCall() const { return !options_.tried || told_of_request_ < options_.tried->calls_left; }
    SteadyTime now() const;
    milliseconds since(SteadyTime start) const;
    bool outOfTime() const;

    Engine& engine_;
    const Snapshot& snapshot_;
    const GenerateRequest& request_;
    const SteadyTime started_;
    const SteadyTime deadline_;
    CancelToken& cancel_;
    const RunOptions& options_;
    Rendering rendering_;
    limits::Demand demand_;
    std::vector<Leg> legs_;
    std::vector<Candidate> candidates_;  // one for each leg
    bool entered_ = false;
    int told_of_request_ = 0;                 // so many calls have
    SteadyTime soonest_ = SteadyTime::max();  // as the last look at the candidates found
    std::optional<Error> stop_;               // the error that ended the walk early
    Outcome out_;
};

}  // namespace stepper::engine
