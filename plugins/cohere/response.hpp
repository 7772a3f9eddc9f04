// Cohere's answers, whole or streamed, in both versions of the chat API.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stepper/kit/session.hpp"

namespace cohere {

// What both versions share. Cohere does not say which model answered, so it is the one that was asked.
class Answer : public stepper::kit::HttpSession {
public:
    Answer(stepper::sdk::Request request, std::string model, std::vector<std::string> warnings)
        : HttpSession(std::move(request)), warnings_(std::move(warnings)), model_(std::move(model)) {}

protected:
    using Action = stepper::sdk::Action;
    using Event = stepper::sdk::Event;
    using Value = stepper::kit::Value;

    Action onWhole(const Value& json, const Event& ev) final;
    // The contents of a complete answer; it ends with ended().
    virtual Action onAnswer(const Value& json, const Event& ev) = 0;
    // `end` holds the finish reason, `usage` the token counts; null when there are none. CONTINUE or a
    // failure.
    Action ended(const Value& end, const Value* usage, const Event& ev);

    std::string id_;
    std::vector<std::string> warnings_;

private:
    std::string model_;
};

class AnswerV2 final : public Answer {
public:
    using Answer::Answer;

private:
    Action onAnswer(const Value& json, const Event& ev) override;
    Action onChunk(std::string_view name, const Value& json, const Event& ev) override;

    void content(const Value& part, const Event& ev);
    void emitCall(const Event& ev);

    std::string call_id_, call_name_, call_arguments_;  // the tool call that is being streamed
};

class AnswerV1 final : public Answer {
public:
    using Answer::Answer;

private:
    Action onAnswer(const Value& json, const Event& ev) override;
    Action onChunk(std::string_view name, const Value& json, const Event& ev) override;

    void describe(const Value& response);
};

}  // namespace cohere
