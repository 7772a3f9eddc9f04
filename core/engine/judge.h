// From what a provider said to the value the client gets, or why it is none. Pure, any thread.
#pragma once
#include "core/output/validate.h"
#include "core/plugin/abi/answer.h"

namespace stepper::engine {

// Whether an answer that ended like that was cut off by its token limit.
bool isCut(std::string_view finish);

// As output::process(). A JSON answer that was cut off within its value says so, whatever could be made of
// the rest: InvalidRequest, because the same request would be cut again. Large answers take their time, in
// which `interrupt` is asked now and then.
Result<output::Processed> judge(const plugin::Answer& answer, output::Mode mode,
                                const output::OutputSchema* schema, const Interrupt& interrupt = {});

}  // namespace stepper::engine
