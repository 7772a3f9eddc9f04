#include "space_session.hpp"

#include <algorithm>

namespace hfspace {
namespace {

constexpr int64_t kQueueDelayMs = 2'000;  // Gradio does not say when its queue has room again

}  // namespace

sdk::Action SpaceSession::step(const sdk::Event& ev) {
    if (ev.kind() == STEPPER_EV_TIMER) return send(first_);
    if (ev.kind() != STEPPER_EV_END) return HttpSession::step(ev);
    switch (condition()) {
        case Condition::Down:
            return sdk::Action::fail(
                STEPPER_E_OVERLOADED,
                "the Space is paused or broken, only its owner can start it: " + wordsOf(body()), status());
        case Condition::Asleep: return onAsleep();
        case Condition::Page:
            // A page with 404 may as well mean that there is no such Space, or none this key may see.
            return status() == 404 ? HttpSession::step(ev) : onAsleep();
        case Condition::Serving: break;
    }
    return HttpSession::step(ev);
}

sdk::Action SpaceSession::onRefused(sdk::Failure failure, const Value&, const sdk::Event&) {
    if (condition() == Condition::Page && status() == 404)
        return notServing("no Space answers there, or it is private and needs an api_key", body());
    const bool inside_success = status() < 300;
    if (inside_success && failure.error_class == STEPPER_E_UPSTREAM)
        failure.error_class = STEPPER_E_BAD_RESPONSE;
    if (failure.error_class == STEPPER_E_RATE_LIMITED && status() == 503 && failure.retry_after_ms < 0)
        failure.retry_after_ms = kQueueDelayMs;
    return sdk::Action::fail(std::move(failure));
}

sdk::Action SpaceSession::answered(const sdk::Event& ev) {
    if (temperature_left_out_)
        kit::emitMeta(ev, "", "", {"temperature was left out, a Space takes only a text"});
    return conclude(ev);
}

Condition SpaceSession::condition() const {
    return conditionOf(status(), kit::header(headers(), "content-type"), body());
}

sdk::Action SpaceSession::startOver(sdk::Request first) {
    first_ = std::move(first);
    return send(first_);
}

sdk::Action SpaceSession::onAsleep() {
    if (patience_ == 0) return notServing("the Space is asleep or starting", body());
    --patience_;
    return sdk::Action::wait(settings_.wake_poll_ms);
}

sdk::Action SpaceSession::notServing(std::string why, std::string_view page) const {
    const int64_t stated = kit::statedDelayMs(headers(), Value(), "");
    return sdk::Action::fail(STEPPER_E_OVERLOADED, std::move(why) + ": " + wordsOf(page), status(),
                             std::max<int64_t>(stated, settings_.wake_poll_ms));
}

}  // namespace hfspace
