// One call of a Gradio endpoint: POST call/NAME gives an event id, GET call/NAME/ID streams the result.
#pragma once
#include <string>

#include "space_session.hpp"

namespace hfspace {

class Gradio final : public SpaceSession {
public:
    Gradio(const Settings& settings, const kit::ChatRequest& chat);

    sdk::Action step(const sdk::Event& ev) override;

private:
    sdk::Action onWhole(const Value& json, const sdk::Event& ev) override;
    sdk::Action onEvent(std::string_view name, std::string_view data, const sdk::Event& ev) override;
    sdk::Action onStreamEnd(const sdk::Event& ev) override;
    sdk::Action onRefused(sdk::Failure failure, const Value& json, const sdk::Event& ev) override;

    sdk::Action fetch();
    sdk::Action cancelJob();
    void onGrowth(const Value& outputs, const sdk::Event& ev);
    sdk::Action onComplete(const Value& outputs, const sdk::Event& ev);

    const std::string prompt_;
    const bool stream_;     // emit the text while it grows
    size_t prefix_ = 0;     // which of settings().prefixes
    std::string event_id_;  // empty until the job is accepted
    std::string streamed_;  // the text that was emitted
};

}  // namespace hfspace
