// Outcomes in the words of the HTTP contract, as answers and stored jobs hold them. Pure, any thread.
#pragma once
#include "core/engine/request.h"

namespace stepper::engine {

// Seconds as the contract counts waiting: whole, rounded up.
int64_t wholeSeconds(milliseconds d);

// "providersAttempted":[...] into the object the writer is in.
void putAttempts(json::Writer& w, const std::vector<AttemptRecord>& attempts);

// "timings":{"totalMs","providerMs"?} likewise.
void putTimings(json::Writer& w, const Outcome& outcome);

// How the provider ended its answer and whether we mended it, likewise; what says nothing is left out.
// "warnings" is not among them, because those of the request join it.
void putEnding(json::Writer& w, const Outcome& outcome);
inline constexpr std::string_view kEndingMembers[] = {"finishReason", "model",     "usage",
                                                      "cost",         "truncated", "repaired"};
// "warnings":[...] likewise, unless there are none.
void putWarnings(json::Writer& w, const std::vector<std::string>& warnings);

// Of an answer: {"provider","fallback","validated","timings":{...},"providersAttempted":[...]}, its ending
// and its warnings.
std::string answerMeta(const Outcome& outcome);
// Of a failure: {"errorCode","message","retryable","retryAfterSeconds"?,"providersAttempted":[...]}
std::string failureMeta(const Failure& failure, const std::vector<AttemptRecord>& attempts);

}  // namespace stepper::engine
