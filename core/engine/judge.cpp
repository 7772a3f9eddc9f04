#include "core/engine/judge.h"

namespace stepper::engine {
namespace {

Error cutOff(const plugin::Answer& answer) {
    std::string message = "The answer was cut off by its token limit";
    if (answer.usage.completion) message += " after " + std::to_string(*answer.usage.completion) + " tokens";
    return {ErrorClass::InvalidRequest, message + ", raise maxOutputTokens"};
}

}  // namespace

bool isCut(std::string_view finish) { return finish == "length"; }

Result<output::Processed> judge(const plugin::Answer& answer, output::Mode mode,
                                const output::OutputSchema* schema, const Interrupt& interrupt) {
    auto processed = output::process(answer.text, mode, schema, answer.finish, interrupt);
    if (!processed && processed.error().error_class != ErrorClass::BadResponse) return processed;
    const bool whole = processed && !processed->cut;
    if (!whole && isCut(answer.finish)) return cutOff(answer);
    return processed;
}

}  // namespace stepper::engine
