// Gathers what a session emits into one answer. One per session; used by its thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/plugin/session.h"

namespace stepper::plugin {

// Tokens as the provider counted them; what it did not say stays empty.
struct Usage {
    std::optional<int64_t> prompt, completion, total, reasoning, cached;
    bool any() const { return prompt || completion || total || reasoning || cached; }
};

struct Answer {
    std::string text, reasoning;
    std::string finish;  // stop | length | tool_calls | content_filter | error | other, "" when never said
    Usage usage;
    std::string model, response_id;  // as the provider reported them
    std::vector<std::string> warnings;
    json::Document tool_calls{rapidjson::kArrayType};
    json::Document meta{rapidjson::kObjectType};  // the latest value of every member
};

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
