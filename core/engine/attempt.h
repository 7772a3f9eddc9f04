// One attempt at one provider: a plugin session driven over the transport.
#pragma once
#include "core/base/cancel.h"
#include "core/engine/snapshot.h"
#include "core/plugin/collector.h"
#include "core/transport/transport.h"

namespace stepper::engine {

// Blocks until the plugin is done, at most until `deadline` or until cancelled. `request_json` is an
// OpenAI-shaped chat request. An answer without text or tool call is BadResponse. Safe from any thread.
Result<plugin::Answer> attempt(const ProviderEntry& provider, std::string_view request_json,
                               SteadyTime deadline, CancelToken& cancel, transport::Transport& transport);

}  // namespace stepper::engine
