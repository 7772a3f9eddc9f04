// A plugin with one mistake, which its configuration names: {"flaw":"..."}. Without one it is sound: one
// POST, the body is the answer.
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <unistd.h>

#include "stepper/plugin.hpp"

namespace {
namespace sdk = stepper::sdk;

class Session final : public sdk::Session {
public:
    explicit Session(std::string flaw) : flaw_(std::move(flaw)) {}

    sdk::Action step(const sdk::Event& event) override {
        switch (event.kind()) {
            case STEPPER_EV_START: return onStart();
            case STEPPER_EV_HEAD: return onHead(event);
            case STEPPER_EV_DATA: return onData(event);
            case STEPPER_EV_END: return onEnd(event);
            case STEPPER_EV_TIMER: return sdk::Action::wait(1);
            case STEPPER_EV_CANCEL: return onCancel();
            default: break;
        }
        if (has("done on a broken connection")) return sdk::Action::done();
        if (has("sends again on a broken connection")) return send();
        return sdk::Action::fail(event.ioError(), "broke off");
    }

private:
    bool has(std::string_view flaw) const { return flaw_ == flaw; }
    static sdk::Action send() {
        sdk::Request request;
        request.url = "https://clumsy.example/";
        request.body_mode = STEPPER_BODY_SSE;
        return sdk::Action::send(std::move(request));
    }
    sdk::Action onStart() const {
        if (has("waits for ever")) return sdk::Action::wait(1);
        if (has("breaks the abi at once")) return sdk::Action::more();
        if (has("crashes at once")) std::raise(SIGSEGV);
        if (has("needs something else")) return sdk::Action::fail(STEPPER_E_UNSUPPORTED, "no chat here");
        return send();
    }
    sdk::Action onHead(const sdk::Event& event) {
        status_ = event.status();
        if (has("crashes on an odd status") && status_ == 599) std::raise(SIGSEGV);
        if (has("hangs on an odd status") && status_ == 599)
            for (;;) ::pause();
        if (has("leaves with an odd status") && status_ == 599) std::_Exit(3);
        if (has("is slow on an odd status") && status_ == 599) ::usleep(150'000);
        if (has("is slowish") && status_ == 599) ::usleep(20'000);
        if (has("leaves a thread")) std::thread([] { ::pause(); }).detach();
        return sdk::Action::more();
    }
    sdk::Action onData(const sdk::Event& event) {
        if (has("passes bytes on")) event.text(event.data());
        if (has("throws at garbage") && event.data().find("garbage") == 0)
            throw std::runtime_error("what is this?");
        if (has("misreads an odd event") && event.name() == "completion" && event.data().empty())
            return send();
        return sdk::Action::more();
    }
    sdk::Action onEnd(const sdk::Event&) const {
        const bool success = status_ >= 200 && status_ < 300;
        if (has("sends for ever")) return send();
        if (has("done on a 500") && status_ == 500) return sdk::Action::done();
        if (has("bug on a 500") && status_ == 500) return sdk::Action::fail(STEPPER_E_INTERNAL, "my bug");
        if (has("done on a 429") && status_ == 429) return sdk::Action::done();
        if (has("says more at the end")) return sdk::Action::more();
        if (!success) return sdk::Action::fail(STEPPER_E_UPSTREAM, "it failed", status_, 7'000);
        return sdk::Action::done();
    }
    sdk::Action onCancel() const {
        if (has("bug on a cancel")) return sdk::Action::fail(STEPPER_E_INTERNAL, "my bug");
        if (has("bug on a late cancel") && status_) return sdk::Action::fail(STEPPER_E_INTERNAL, "my bug");
        return sdk::Action::fail(STEPPER_E_CANCELLED, "cancelled");
    }

    std::string flaw_;
    int status_ = 0;
};

class Provider final : public sdk::Provider {
public:
    explicit Provider(std::string_view config) {
        constexpr std::string_view kKey = "\"flaw\":\"";
        if (const size_t at = config.find(kKey); at != std::string_view::npos) {
            const auto rest = config.substr(at + kKey.size());
            flaw_ = rest.substr(0, rest.find('"'));
        }
        if (flaw_ == "refuses its configuration") throw sdk::ConfigError("no");
    }
    std::unique_ptr<sdk::Session> begin(int32_t job, std::string_view request) const override {
        if (job != STEPPER_JOB_GENERATE) return nullptr;
        if (flaw_ == "bug in begin") throw std::runtime_error("my bug");
        if (flaw_ == "refuses the request") throw std::invalid_argument("not such a request");
        if (flaw_ == "fails only when streaming" && request.find("\"stream\":true") != std::string_view::npos)
            return std::make_unique<Session>("done on a 500");
        return std::make_unique<Session>(flaw_);
    }

private:
    std::string flaw_;
};

}  // namespace

STEPPER_PLUGIN(Provider, "clumsy", "1.0.0", R"({"type":"object"})", 0)
