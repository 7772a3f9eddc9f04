#include "core/engine/judge.h"

#include "core/base/text.h"

namespace stepper::engine {
namespace {

Error cutOff(const plugin::Answer& answer) {
    std::string message = "The answer was cut off by its token limit";
    if (answer.usage.completion) message += " after " + std::to_string(*answer.usage.completion) + " tokens";
    return {ErrorClass::InvalidRequest, message + ", raise maxOutputTokens"};
}

}  // namespace

bool isCut(std::string_view finish) { return finish == "length"; }

std::optional<Error> flawOf(const plugin::Answer& answer) {
    if (answer.finish == "content_filter")
        return Error{ErrorClass::ContentBlocked, "the provider's content filter stopped the answer"};
    const bool empty = trim(answer.text).empty() && answer.tool_calls.Empty();
    // The same request would end the same way, at the full price of its tokens.
    if (empty && answer.finish == "length")
        return Error{
            ErrorClass::InvalidRequest,
            "the answer is empty because all its tokens went into hidden reasoning; raise max_tokens"};
    if (empty) return Error{ErrorClass::BadResponse, "the answer is empty"};
    return std::nullopt;
}

std::optional<Error> whyNone(const Attempted& got) {
    if (got.concluded && (!got.error || got.error->error_class == ErrorClass::BadResponse))
        if (auto flaw = flawOf(got.answer)) return flaw;
    return got.error;
}

Result<output::Processed> judge(const Attempted& got, const prompt::Question& question,
                                const Interrupt& interrupt) {
    if (auto why = whyNone(got)) return *std::move(why);
    const plugin::Answer& answer = got.answer;
    auto processed = question.accept(answer.text, answer.finish, interrupt);
    if (!processed && processed.error().error_class != ErrorClass::BadResponse) return processed;
    const bool whole = processed && !processed->cut;
    if (!whole && isCut(answer.finish)) return cutOff(answer);
    return processed;
}

}  // namespace stepper::engine
