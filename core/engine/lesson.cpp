#include "core/engine/lesson.h"

#include "core/engine/chat_request.h"
#include "core/engine/classify.h"
#include "core/limits/size_refusal.h"

namespace stepper::engine {
namespace {

using Kind = limits::Report::Kind;
constexpr int kForbidden = 403;

limits::Report lessonOf(const Error& error, bool out_of_time) {
    limits::Report out{verdictOn(error.error_class).report, error.retry_after};
    if (out.kind == Kind::TooLarge) out.most_tokens = limits::mostTokensIn(error.message);
    if (out.kind == Kind::QuotaExhausted) out.words = error.message;
    if (error.error_class == ErrorClass::Timeout && out_of_time) out.kind = Kind::Neutral;
    return out;
}

bool isOfModel(Kind kind, const Error& error) {
    return kind == Kind::ModelMissing || kind == Kind::TooLarge ||
           (kind == Kind::KeyRefused && error.http_status == kForbidden);
}

}  // namespace

limits::Report lessonOf(const Attempted& got, const GenerateRequest& request,
                        const config::Provider& provider, bool out_of_time) {
    limits::Report out = got.concluded ? limits::Report{Kind::Ok} : lessonOf(*got.error, out_of_time);
    if (modelFor(request, provider) != provider.model && got.error && isOfModel(out.kind, *got.error))
        out = {Kind::Neutral};
    out.tokens_in = got.answer.usage.prompt;
    out.tokens_out = got.answer.usage.completion;
    return out;
}

}  // namespace stepper::engine
