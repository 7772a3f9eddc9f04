// What an instance says to a request: its answer or a step's content in the request's wire format. Pure
// functions.
#pragma once
#include "tools/provider-sim/behaviour.h"

namespace stepper::sim {

// The text between the last ECHO: and :ECHO of the prompt; else a commit report if the prompt asks for one;
// else a small JSON object.
std::string defaultAnswer(std::string_view prompt);

// About a token per four bytes, never none.
int64_t tokensOf(std::string_view text);

struct Rendered {
    Reply reply;
    int64_t completion_tokens = 0;  // 0 when it is no answer
};

Rendered render(const Format& format, const Ask& ask, const Behaviour& behaviour, const Content& content,
                const Allowances& allowances, WallTime now);

}  // namespace stepper::sim
