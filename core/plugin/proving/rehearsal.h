// A plugin's dry run: made-up events, no network, no clock. What passes has shown that it answers a failing
// provider with a failure and keeps the ABI's rules; whether it understands its provider, transcripts tell.
#pragma once
#include <memory>

#include "core/base/result.h"
#include "core/plugin/abi/session.h"

namespace stepper::plugin {

// Begins small chat requests, whole and streamed, and plays what a provider may do: a 500, a 429, bodies of
// garbage, a broken connection, a cancelled request. Config error saying what the plugin did wrong. A plugin
// that refuses the request or fails by itself (anything but INTERNAL) passes: it may need more than a chat.
// Takes as long as the plugin's steps; a step that hangs or crashes takes the caller with it, so the first
// dry run of an image belongs into a process that may die.
Result<void> dryRun(const std::shared_ptr<const Provider>& provider);

}  // namespace stepper::plugin
