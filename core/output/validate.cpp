#include "core/output/validate.h"

#include <functional>

#include "core/base/text.h"
#include "core/output/extract.h"

namespace stepper::output {
namespace {

// More values than any answer offers.
constexpr size_t kMaxJudged = 16;

Error refusal(std::string_view why) {
    return {ErrorClass::BadResponse, "Validation failed: " + std::string(why)};
}

Processed passedOn(const Candidate& candidate) {
    Processed out;
    out.value = candidate.json;
    out.repaired = candidate.repaired;
    out.cut = candidate.cut;
    return out;
}

Result<Processed> asString(std::string_view text) {
    if (trim(text).empty()) return refusal("Response is empty.");
    json::Buffer buffer;
    json::Writer(buffer).String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    return passedOn({{buffer.GetString(), buffer.GetSize()}});
}

using Judge = std::function<Result<Processed>(const Candidate&, const json::Document&)>;

// What a client that wanted prose has not said.
constexpr std::string_view kTextHint =
    " For an answer that is text as it stands, send \"responseMode\": \"text\".";

// The best candidate that passes; when none does, what is wrong with the best. `hint` ends the sentence that
// there is none at all.
Result<Processed> best(std::string_view text, bool finished, bool doubtful_too, std::string_view hint,
                       const Interrupt& interrupt, const Judge& judge) {
    std::optional<Error> first;
    size_t judged = 0;
    Effort reading(Effort::kUnbounded, interrupt);
    const auto offered = candidates(text, finished, reading);
    for (const Candidate& candidate : offered) {
        if (!reading.spend(1 + candidate.json.size())) break;
        if (candidate.doubtful && !doubtful_too) continue;
        if (judged++ == kMaxJudged) break;
        auto outcome = [&]() -> Result<Processed> {
            if (candidate.json.empty()) return refusal("The response ends inside its JSON value.");
            const auto value = json::parse(candidate.json, {.any_magnitude = true});
            return value ? judge(candidate, *value)
                         : refusal("The JSON in the response: " + value.error().message);
        }();
        if (outcome || outcome.error().error_class != ErrorClass::BadResponse) return outcome;
        if (!first) first = outcome.error();
    }
    if (reading.interruption()) return *reading.interruption();
    if (first) return *first;
    return refusal(
        "Response does not appear to be valid JSON format. Provider may have returned an error message." +
        std::string(hint));
}

}  // namespace

Result<Processed> process(std::string_view text, Mode mode, const OutputSchema* schema,
                          std::string_view finish, const Interrupt& interrupt) {
    const bool finished = finish == "stop";
    if (mode == Mode::Text) return asString(text);
    if (!schema)
        return best(
            text, finished, false, kTextHint, interrupt,
            [](const Candidate& c, const json::Document&) -> Result<Processed> { return passedOn(c); });
    Effort checking(JsonSchema::kMostSteps, interrupt);  // for all candidates together
    return best(text, finished, true, "", interrupt,
                [&](const Candidate& c, const json::Document& value) -> Result<Processed> {
                    if (auto ok = schema->validate(value, checking); !ok)
                        return checking.interruption() ? *checking.interruption()
                                                       : refusal(ok.error().message);
                    Processed out = passedOn(c);
                    out.warnings = schema->warnings();
                    return out;
                });
}

Result<Processed> processAs(const Check& check, std::string_view text, std::string_view finish,
                            const Interrupt& interrupt) {
    return best(text, finish == "stop", true, "", interrupt,
                [&](const Candidate& c, const json::Document& value) -> Result<Processed> {
                    const auto checked = check(value);
                    if (!checked) return refusal(checked.error().message);
                    Processed out = passedOn(c);
                    out.value = json::dump(*checked);
                    return out;
                });
}

}  // namespace stepper::output
