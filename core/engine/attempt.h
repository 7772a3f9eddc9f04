// One attempt at one provider: a plugin session driven over the transport.
#pragma once
#include "core/base/cancel.h"
#include "core/engine/snapshot.h"
#include "core/plugin/abi/answer.h"
#include "core/transport/transport.h"

namespace stepper::engine {

// What is told while it runs, on the calling thread.
class AttemptListener {
public:
    virtual ~AttemptListener() = default;
    virtual void sent() = 0;  // at least once when a request may have reached the provider
    virtual void heard(const transport::Headers& headers) = 0;  // a response began
};

// For whom it is enough how it ended.
class NobodyListens final : public AttemptListener {
    void sent() override {}
    void heard(const transport::Headers&) override {}
};

// What a call is made with.
struct Means {
    SteadyTime deadline;
    CancelToken& cancel;
    transport::Transport& transport;
    const Clock& clock;
};

// What an attempt brought. A failed one may have brought part of an answer, and tokens that are billed.
struct Attempted {
    plugin::Answer answer;
    std::optional<Error> error;  // why `answer` is none
    bool heard = false;          // a response had begun
    bool unasked = false;        // this machine had not what asking takes: nothing is known of the provider
    bool concluded = false;  // the provider had said how its answer ended: an error is the answer's, not its
};

// Blocks until the plugin is done, at most until the deadline or until cancelled. `request_json` is an
// OpenAI-shaped chat request; `key`, one of the provider's, goes where its plugin says. Safe from any thread.
Attempted attempt(const ProviderEntry& provider, const config::Secret& key, std::string_view request_json,
                  const Means& means, AttemptListener& listener);

// Begins the provider's plugin for another purpose, likewise: Probe, whether the key is good, or Warmup, to
// wake what sleeps. Why it failed; Unsupported when the plugin says that it does no such thing.
std::optional<Error> visit(const ProviderEntry& provider, const config::Secret& key, plugin::Purpose purpose,
                           const Means& means);

// Whether that one of its keys is good, in 30 seconds at most, or by the deadline.
std::optional<Error> probe(const ProviderEntry& provider, size_t target, const Means& means);

}  // namespace stepper::engine
