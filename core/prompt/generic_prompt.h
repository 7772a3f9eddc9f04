// The question of a generic request: its own prompt or conversation, answered by text or JSON.
#pragma once
#include <memory>

#include "core/output/schema.h"
#include "core/prompt/question.h"

namespace stepper::prompt {

class GenericPrompt final : public Question {
public:
    // `body`: the client's JSON, shared, not copied; its "prompt", "messages", "system", "payload" and
    // "metadata" count, see conversation.h. `schema`: null when the client gave none.
    explicit GenericPrompt(std::shared_ptr<const json::Document> body, output::Mode mode = output::Mode::Json,
                           std::shared_ptr<const output::OutputSchema> schema = nullptr)
        : body_(std::move(body)), mode_(mode), schema_(std::move(schema)) {}

    std::string_view preset() const override { return "generic"; }
    std::string_view responseMode() const override { return isText() ? "text" : "json"; }
    Result<Messages> messages(const Audience& to, Redaction redaction) const override;
    bool sameWords(const Audience& a, const Audience& b) const override { return a.system == b.system; }
    AnswerFormat format() const override;
    Result<output::Processed> accept(std::string_view text, std::string_view finish,
                                     const Interrupt& interrupt = {}) const override;
    json::Document fallback(Redaction redaction) const override;
    json::Document identity(const Wishes& wishes, Redaction redaction) const override;

private:
    bool isText() const { return mode_ == output::Mode::Text; }

    const std::shared_ptr<const json::Document> body_;
    const output::Mode mode_;
    const std::shared_ptr<const output::OutputSchema> schema_;
};

}  // namespace stepper::prompt
