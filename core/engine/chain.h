// One request's walk along its plan: which providers were tried, which passed over, and how it ended.
#pragma once
#include <vector>

#include "core/engine/engine.h"

namespace stepper::engine {

// Lives for one Engine::generate call, on its thread.
class Chain {
public:
    // `progress` may be null.
    Chain(Engine& engine, const Snapshot& snapshot, const GenerateRequest& request, SteadyTime deadline,
          CancelToken& cancel, std::atomic<int>* progress);

    // An answer or a failure, never the fallback.
    Outcome run();

private:
    // A provider of the plan and what became of it.
    struct Leg {
        const ProviderEntry* provider;
        bool pending = true;
        std::optional<AttemptRecord> record;
    };

    // Enters the first pending provider that is ready, waiting within reason; null when none will be.
    Leg* nextReady();
    // Tries the leg, whose slot is held. True when the walk is over: answered, or no other may be asked.
    bool tryLeg(Leg& leg);
    // Calls the provider, gives its slot back and tells its gate what was learned.
    Result<plugin::Answer> call(const ProviderEntry& provider);
    void succeed(Leg& leg, plugin::Answer answer, json::Document value, milliseconds took);
    void skip(Leg& leg, limits::Denial why, milliseconds ready_in);
    void skipBefore(const Leg& winner);
    void skipRest();
    void tellProgress() const;
    Failure conclude() const;
    Failure failed() const;
    bool outOfTime() const;
    std::optional<milliseconds> soonestReady() const;

    Engine& engine_;
    const Snapshot& snapshot_;
    const GenerateRequest& request_;
    const SteadyTime started_;
    const SteadyTime deadline_;
    CancelToken& cancel_;
    std::atomic<int>* const progress_;
    std::vector<Leg> legs_;
    std::optional<Error> stop_;  // the error that ended the walk early
    Outcome out_;
};

}  // namespace stepper::engine
