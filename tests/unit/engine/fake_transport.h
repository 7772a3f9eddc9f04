// A transport for tests of the engine that need no network.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
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

inline const transport::Headers kJson{{"content-type", "application/json"}};
inline const transport::Headers kHtml{{"content-type", "text/html"}};

// What every provider does, by the host that is called; and how often it was.
class Weather final : public transport::Transport {
public:
    using Answer = std::vector<HttpEvent>;
    std::map<std::string, Answer> of_host;
    std::map<std::string, int> calls;

    Result<std::unique_ptr<transport::Exchange>> open(transport::HttpRequest request, CancelToken&) override {
        const std::string host = request.url.substr(8, request.url.find('/', 8) - 8);
        ++calls[host];
        asked(host);
        request.on_sent();
        return std::unique_ptr<transport::Exchange>(new Replay(of_host.at(host)));
    }
    int allCalls() const {
        int all = 0;
        for (const auto& [host, count] : calls) all += count;
        return all;
    }

    // What is told of a whole answer; the body must outlive it.
    Answer answer(int status, const char* body, transport::Headers headers = kJson) {
        headers_.push_back(std::make_unique<transport::Headers>(std::move(headers)));
        auto head = event(HttpEvent::Kind::Head), data = event(HttpEvent::Kind::Data);
        head.status = status;
        head.headers = headers_.back().get();
        data.data = body;
        return {head, data, event(HttpEvent::Kind::End)};
    }
    // Called before each request is answered.
    std::function<void(const std::string& host)> asked = [](const std::string&) {};

private:
    class Replay final : public transport::Exchange {
    public:
        explicit Replay(const Answer& events) : events_(events) {}
        HttpEvent next() override { return events_.at(at_++); }

    private:
        const Answer& events_;
        size_t at_ = 0;
    };

    std::vector<std::unique_ptr<transport::Headers>> headers_;
};

}  // namespace stepper::engine
