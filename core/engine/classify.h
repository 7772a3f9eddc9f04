// The one table that says what an error means for everybody: the chain, the provider's gate, the job, the
// client.
#pragma once
#include <string_view>

#include "core/base/error.h"
#include "core/limits/gate.h"

namespace stepper::engine {

// What the chain does after an attempt failed so.
enum class Next {
    NextProvider,
    Stop,  // no other provider may be asked: a refusal is not laundered, a cancelled request is over
};

struct Verdict {
    Next next;
    limits::Report::Kind report;  // only Failed and Unreachable count for the circuit breaker
    bool job_retries;             // would the same request stand a chance later?
    bool of_request;             // it tells of the request, not of how the provider is: an attempt is used up
    int http_status;             // when it is the answer to the client
    std::string_view wire_code;  // errorCode in answers
};

// Total: every class has a row.
const Verdict& verdictOn(ErrorClass c);

}  // namespace stepper::engine
