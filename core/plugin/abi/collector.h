// Gathers what a session emits into one answer. One per session; used by its thread.
#pragma once
#include <string>
#include <string_view>

#include "core/plugin/abi/answer.h"
#include "core/plugin/abi/session.h"

namespace stepper::plugin {

class Collector final : public Output {
public:
    void text(std::string_view piece) override { answer_.text += piece; }
    void reasoning(std::string_view piece) override { answer_.reasoning += piece; }
    void finish(std::string_view word) override { answer_.finish = word; }
    void toolCall(std::string_view json) override;
    void usage(std::string_view json) override;
    void meta(std::string_view json) override;

    const Answer& answer() const { return answer_; }
    Answer take() { return std::move(answer_); }

private:
    Answer answer_;
};

}  // namespace stepper::plugin
