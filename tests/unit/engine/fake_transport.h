// A transport for tests of the engine that need no network.
#pragma once
#include <deque>
#include <memory>
#include <vector>

#include "core/transport/transport.h"

namespace stepper::engine {

using transport::HttpEvent;

inline HttpEvent event(HttpEvent::Kind kind) {
    HttpEvent out;
    out.kind = kind;
    return out;
}

inline HttpEvent failed(ErrorClass error_class, std::string message) {
    HttpEvent out = event(HttpEvent::Kind::Failed);
    out.error = {error_class, std::move(message)};
    return out;
}

// Hands out canned events and remembers what it was asked to send.
class FakeTransport final : public transport::Transport {
public:
    std::deque<HttpEvent> events;
    std::vector<transport::HttpRequest> requests;
    int open_exchanges = 0;

    Result<std::unique_ptr<transport::Exchange>> open(transport::HttpRequest request, CancelToken&) override {
        requests.push_back(std::move(request));
        return std::unique_ptr<transport::Exchange>(new FakeExchange(*this));
    }

private:
    class FakeExchange final : public transport::Exchange {
    public:
        explicit FakeExchange(FakeTransport& owner) : owner_(owner) { ++owner_.open_exchanges; }
        ~FakeExchange() override { --owner_.open_exchanges; }
        HttpEvent next() override {
            HttpEvent out = std::move(owner_.events.front());
            owner_.events.pop_front();
            return out;
        }

    private:
        FakeTransport& owner_;
    };
};

}  // namespace stepper::engine
