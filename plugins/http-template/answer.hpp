// The answer of an API as its options describe it, whole or as a stream.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "block.hpp"
#include "errors.hpp"
#include "stepper/kit/session.hpp"

namespace http_template {

// Where things are in a response: JSON pointers, empty when not described. Immutable; borrows the
// configuration.
struct AnswerSpec {
    // Throws ConfigError.
    explicit AnswerSpec(const Block& options);

    // In the ABI's words or a provider's; empty while the answer goes on.
    std::string finishReason(const Value& json) const;
    // True for the event after which a stream has nothing more to say.
    bool isLastEvent(std::string_view data) const;
    bool isLastEvent(const Value& json) const;
    // The options name nothing that a stream's last event could be known by.
    bool endIsUnmarked() const { return finish.empty() && done_text.empty() && done_pointer.empty(); }

    std::vector<std::string> text, stream_text;  // the first that leads to text counts
    std::string reasoning, finish, model, id;
    bool strip_think = true;
    std::string prompt_tokens, completion_tokens, total_tokens;
    std::map<std::string, std::string, std::less<>> finish_map;
    std::string done_text, done_pointer;
    const Value* done_value = nullptr;
};

class Answer final : public kit::HttpSession {
public:
    Answer(sdk::Request request, const AnswerSpec& spec, const ErrorRules& errors,
           std::vector<std::string> warnings)
        : HttpSession(std::move(request)), spec_(spec), errors_(errors), warnings_(std::move(warnings)) {
        if (spec.strip_think) splitReasoning();
    }

private:
    sdk::Action onWhole(const Value& json, const sdk::Event& ev) override;
    sdk::Action onEvent(std::string_view name, std::string_view data, const sdk::Event& ev) override;
    sdk::Action onChunk(std::string_view name, const Value& json, const sdk::Event& ev) override;
    sdk::Action onStreamEnd(const sdk::Event& ev) override;
    sdk::Action onRefused(sdk::Failure failure, const Value& json, const sdk::Event& ev) override;

    // True when one of the pointers led to text.
    bool readText(const Value& json, const std::vector<std::string>& pointers, const sdk::Event& ev);
    void readRest(const Value& json, const sdk::Event& ev);
    sdk::Action end(const sdk::Event& ev);

    const AnswerSpec& spec_;
    const ErrorRules& errors_;
    const std::vector<std::string> warnings_;
    bool text_seen_ = false, meta_sent_ = false;
};

}  // namespace http_template
