// Runs exchanges to their end and keeps what they gave.
#pragma once
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "core/transport/curl_transport.h"

namespace stepper::transport {

// The machine's proxy is not for the servers of these tests.
inline const int kNoProxy = ::setenv("no_proxy", "*", 1);

struct Outcome {
    std::vector<HttpEvent::Kind> kinds;
    int status = 0;
    Headers headers;
    std::vector<std::string> data;
    std::optional<Error> error;

    std::string header(std::string_view name) const {
        for (const auto& [n, value] : headers)
            if (n == name) return value;
        return "(none)";
    }
    std::string message() const { return error ? error->message : "(no error)"; }
    std::optional<ErrorClass> errorClass() const {
        return error ? std::optional(error->error_class) : std::nullopt;
    }
};

inline Outcome drain(Exchange& exchange) {
    Outcome out;
    for (;;) {
        const HttpEvent event = exchange.next();
        out.kinds.push_back(event.kind);
        switch (event.kind) {
            case HttpEvent::Kind::Head:
                out.status = event.status;
                out.headers = *event.headers;
                break;
            case HttpEvent::Kind::Data: out.data.emplace_back(event.data); break;
            case HttpEvent::Kind::Failed: out.error = event.error; return out;
            case HttpEvent::Kind::End: return out;
        }
    }
}

inline Outcome run(Transport& transport, HttpRequest request, CancelToken& cancel) {
    auto exchange = transport.open(std::move(request), cancel);
    if (exchange) return drain(**exchange);
    Outcome refused;
    refused.error = exchange.error();
    return refused;
}

inline Outcome run(Transport& transport, HttpRequest request) {
    CancelToken never;
    return run(transport, std::move(request), never);
}

inline HttpRequest requestTo(std::string url, BodyMode mode = BodyMode::Whole) {
    HttpRequest request;
    request.url = std::move(url);
    request.headers = {{"content-type", "application/json"}};
    request.body = "{}";
    request.body_mode = mode;
    request.deadline = std::chrono::steady_clock::now() + milliseconds(5'000);
    return request;
}

}  // namespace stepper::transport
