// One simulated provider: its behaviour, where its script stands, its quota and its counters. Any thread.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <shared_mutex>

#include "tools/provider-sim/behaviour.h"

namespace stepper::sim {

using StepPtr = std::shared_ptr<const Step>;

struct Counters {
    uint64_t requests = 0, in_flight = 0, max_in_flight = 0, connections = 0, aborted = 0;
    uint64_t prompt_tokens = 0, completion_tokens = 0;
    std::map<int, uint64_t> by_status;  // 0 when no status was sent
    std::map<std::string, uint64_t, std::less<>> by_step;
};

// What a decision depends on beside the instance's own state.
struct Arrival {
    Ask::Kind kind = Ask::Kind::Generate;
    std::string_view key = {};   // the credential presented
    uint64_t tokens = 0;         // of the prompt
    StepPtr override_step = {};  // from x-sim, stands in for limits and script
    SteadyTime now = {};
};

struct Decision {
    StepPtr step = {};
    milliseconds latency{0};
};

struct Outcome {
    int status = 0;  // 0 when none was sent
    uint64_t prompt_tokens = 0, completion_tokens = 0;
};

// Gradio work between its POST and its GET.
struct Pending {
    std::string prompt = {};
    StepPtr step = {};
};

class Instance {
public:
    Instance() : Instance(Behaviour{}) {}
    explicit Instance(Behaviour behaviour);

    // Starts the new behaviour's script, quota and sleep from the beginning; counters go on.
    void set(Behaviour behaviour);
    std::shared_ptr<const Behaviour> behaviour() const;
    Counters counters() const;

    void connected();
    // Every enter() is followed by one leave(). Returns the requests in flight, this one included.
    uint64_t enter();
    void leave(std::string_view step_label, const Outcome& outcome, SteadyTime now);
    void aborted();

    // The script's next step if it hangs before the request is read, taken; nullptr otherwise.
    StepPtr takeConnectHang();
    // What happens to a request. Refusals of key, sleep, concurrency and quota are steps like any other,
    // labelled so.
    Decision decide(const Arrival& arrival);

    void remember(const std::string& event_id, Pending pending);
    std::optional<Pending> recall(const std::string& event_id);

    Allowances allowances(SteadyTime now);

private:
    bool asleep(SteadyTime now);
    StepPtr refusal(const Arrival& arrival);
    StepPtr nextStep();
    void restart();

    mutable std::mutex mutex_;
    std::shared_ptr<const Behaviour> behaviour_;
    Counters counters_;
    std::optional<Quota> quota_;
    size_t position_ = 0;
    uint64_t calls_ = 0;
    std::optional<SteadyTime> first_call_;
    std::mt19937_64 latency_random_, failure_random_;
    std::map<std::string, Pending> pending_;
};

// The instances by name, created on first use. Any thread.
class Instances {
public:
    std::shared_ptr<Instance> get(const std::string& name);
    std::map<std::string, std::shared_ptr<Instance>> all() const;
    void remove(const std::string& name);
    void clear();

private:
    mutable std::shared_mutex mutex_;
    std::map<std::string, std::shared_ptr<Instance>> instances_;
};

}  // namespace stepper::sim
