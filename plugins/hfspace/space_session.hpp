// A session with a Space: while the Space is asleep, its first call is repeated until it answers or patience
// runs out.
#pragma once
#include <string>
#include <string_view>
#include <utility>

#include "page.hpp"
#include "settings.hpp"
#include "stepper/kit/session.hpp"

namespace hfspace {

class SpaceSession : public kit::HttpSession {
public:
    sdk::Action step(const sdk::Event& ev) override;

protected:
    // `patience`: how often a sleeping Space is asked again.
    SpaceSession(const Settings& settings, sdk::Request first, int patience)
        : HttpSession(first), settings_(settings), first_(std::move(first)), patience_(patience) {}

    // Done, unless the answer is empty; tells what of the chat a Space was not asked.
    sdk::Action answered(const sdk::Event& ev);
    void readsOnlyTextOf(const kit::ChatRequest& chat) {
        temperature_left_out_ = chat.temperature.has_value();
    }

    sdk::Action onRefused(sdk::Failure failure, const Value& json, const sdk::Event& ev) override;

    Condition condition() const;
    const Settings& settings() const { return settings_; }
    // Sends `first` now, and again whenever the Space turns out to be asleep.
    sdk::Action startOver(sdk::Request first);
    // OVERLOADED, quoting the page or error body that says so.
    sdk::Action notServing(std::string why, std::string_view page) const;

private:
    sdk::Action onAsleep();

    const Settings& settings_;
    sdk::Request first_;
    int patience_;
    bool temperature_left_out_ = false;
};

}  // namespace hfspace
