// From what a provider said to the value the client gets, or why it is none. Pure, any thread.
#pragma once
#include "core/engine/attempt.h"
#include "core/prompt/question.h"

namespace stepper::engine {

// Whether an answer that ended like that was cut off by its token limit.
bool isCut(std::string_view finish);

// Why a complete answer is none: ContentBlocked when the provider's filter stopped it, InvalidRequest when
// its token limit left no room for any text, BadResponse when it is empty for no such reason.
std::optional<Error> flawOf(const plugin::Answer& answer);

// Why an attempt brought no answer: what the answer lacks, in whatever words its plugin puts it, else its
// error.
std::optional<Error> whyNone(const Attempted& got);

// whyNone(), else as the question accepts it. A JSON answer that was cut off within its value says so,
// whatever could be made of the rest: InvalidRequest, because the same request would be cut again. Large
// answers take their time, in which `interrupt` is asked now and then.
Result<output::Processed> judge(const Attempted& got, const prompt::Question& question,
                                const Interrupt& interrupt = {});

}  // namespace stepper::engine
