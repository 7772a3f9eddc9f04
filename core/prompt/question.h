// What a model is asked and what counts as its answer: a class for each kind of question, of which whoever
// asks need know none.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/effort.h"
#include "core/base/json.h"
#include "core/base/result.h"
#include "core/config/config.h"
#include "core/output/validate.h"
#include "core/prompt/messages.h"
#include "core/prompt/redact.h"

namespace stepper::prompt {

// How the answer is wanted, whatever is asked.
struct Wishes {
    std::vector<std::string> preferred, excluded;
    std::optional<config::Plan> plan;  // none: the configuration's
    std::optional<int64_t> max_output_tokens;
    std::optional<double> temperature;  // 0..2; none: the provider's
    std::string model;                  // "": each provider's own; else only those that list it are asked
    std::string tenant_id, request_id;
};

// What of a provider may change the words it is sent. Borrows its texts.
struct Audience {
    config::PromptVariant variant = config::PromptVariant::Auto;
    std::string_view plugin, model;
    std::string_view system;  // the provider's own, for a question that has none
};

struct AnswerFormat {
    std::string_view name;
    std::string_view schema;  // JSON Schema text; "" when any JSON value will do
};

// Immutable: any thread, all of it pure. What is returned as a view lives as long as the question.
class Question {
public:
    virtual ~Question() = default;

    // As metrics have it: generic or commit-report; json or text.
    virtual std::string_view preset() const = 0;
    virtual std::string_view responseMode() const = 0;
    // Who asks, where the request names no tenant; "" when that is not known.
    virtual std::string_view user() const { return {}; }

    // InvalidRequest when there is nothing to ask.
    virtual Result<Messages> messages(const Audience& to, Redaction redaction) const = 0;
    // Whether both are sent the same messages.
    virtual bool sameWords(const Audience& a, const Audience& b) const = 0;

    virtual AnswerFormat format() const = 0;
    // The answer in a model's text, as output::process().
    virtual Result<output::Processed> accept(std::string_view text, std::string_view finish,
                                             const Interrupt& interrupt = {}) const = 0;
    // What is answered when nobody did.
    virtual json::Document fallback(Redaction redaction) const = 0;

    // What makes two of them one within the wishes' tenant, with the wishes that count: an object, for
    // cache::keyOf().
    virtual json::Document identity(const Wishes& wishes, Redaction redaction) const = 0;
};

// Adds those wishes that count with every question, where they are named: requestId, temperature, model.
void addWishes(json::Document& identity, const Wishes& wishes);

}  // namespace stepper::prompt
