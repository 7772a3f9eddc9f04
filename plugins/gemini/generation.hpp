// One answer of Gemini's, whole or streamed, over as many exchanges as it takes.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "stepper/kit/session.hpp"

namespace gemini {

class Generation final : public stepper::kit::HttpSession {
public:
    explicit Generation(stepper::sdk::Request request)
        : HttpSession(request), identical_(std::move(request)) {}

private:
    using Action = stepper::sdk::Action;
    using Event = stepper::sdk::Event;
    using Value = stepper::kit::Value;

    Action onEvent(std::string_view name, std::string_view line, const Event& ev) override;
    Action onChunk(std::string_view name, const Value& json, const Event& ev) override;
    Action onStreamEnd(const Event& ev) override;
    Action onWhole(const Value& json, const Event& ev) override;
    Action onRefused(stepper::sdk::Failure failure, const Value& json, const Event& ev) override;

    Action onLine(std::string_view line, const Event& ev);
    void onPart(const Value& part, const Event& ev);
    void onCall(const Value& call, const Value& part, const Event& ev);
    Action onFinishReason(std::string_view reason, std::string_view message, const Event& ev);
    void noteUsage(const Value& usage, const Event& ev);
    Action blocked(std::string_view what, std::string_view reason) const;
    Action exchangeDone(const Event& ev);
    Action nextHop();

    stepper::sdk::Request identical_;  // what a continuation has to repeat
    std::string bare_;                 // what came outside of events, from its first bracket on
    std::string model_, id_;
    std::string token_;        // where to continue
    bool unfinished_ = false;  // the exchange ended at the provider's cap, not at the answer's end
    int hops_ = 0, calls_ = 0;
    stepper::kit::Usage earlier_, now_;  // of the exchanges before, of this one
};

}  // namespace gemini
