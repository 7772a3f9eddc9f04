// Outcomes in the words of the HTTP contract, as answers and stored jobs hold them. Pure, any thread.
#pragma once
#include "core/engine/request.h"

namespace stepper::engine {

// Seconds as the contract counts waiting: whole, rounded up.
int64_t wholeSeconds(milliseconds d);

// "providersAttempted":[...] into the object the writer is in.
void putAttempts(json::Writer& w, const std::vector<AttemptRecord>& attempts);

// Of an answer: {"provider","fallback","validated","timings":{...},"providersAttempted":[...]}
std::string answerMeta(const Outcome& outcome);
// Of a failure: {"errorCode","message","retryable","retryAfterSeconds"?,"providersAttempted":[...]}
std::string failureMeta(const Failure& failure, const std::vector<AttemptRecord>& attempts);

}  // namespace stepper::engine
