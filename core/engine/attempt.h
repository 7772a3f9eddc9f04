// One attempt at one provider: a plugin session driven over the transport.
#pragma once
#include "core/base/cancel.h"
#include "core/engine/snapshot.h"
#include "core/plugin/collector.h"
#include "core/transport/transport.h"

namespace stepper::engine {

// What is told while it runs, on the calling thread.
class AttemptListener {
public:
    virtual ~AttemptListener() = default;
    virtual void sent() = 0;  // at least once when a request may have reached the provider
    virtual void heard(const transport::Headers& headers) = 0;  // a response began
    // It failed although the provider had said how its answer ended: the answer is at fault, not the
    // provider.
    virtual void concluded() = 0;
};

// Blocks until the plugin is done, at most until `deadline` or until cancelled. `request_json` is an
// OpenAI-shaped chat request. Safe from any thread.
Result<plugin::Answer> attempt(const ProviderEntry& provider, std::string_view request_json,
                               SteadyTime deadline, CancelToken& cancel, transport::Transport& transport,
                               AttemptListener& listener);

// An answer that is none, though nothing was wrong with the provider: ContentBlocked when its filter stopped
// it, BadResponse when it holds neither text nor a tool call.
Result<void> checkAnswer(const plugin::Answer& answer);

}  // namespace stepper::engine
