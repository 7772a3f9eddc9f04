// Talks to a running server: what `stepper jobs` and `stepper generate --async` use.
#pragma once
#include <string>
#include <string_view>

#include "core/app/options.h"
#include "core/base/json.h"
#include "core/config/config.h"
#include "core/transport/curl_transport.h"

namespace stepper::app {

// Used by one thread.
class Client {
public:
    struct Answer {
        int status = 0;
        std::string text;
        json::Document body;  // null when the text is no JSON
    };

    // The server named by --server, else where the configuration says it listens, with the configured keys.
    // Config error when the configuration cannot be read or tells no port.
    static Result<Client> make(const Options& options);

    // One request within 90 s. Transport error, saying what to do, when there is nobody to talk to.
    Result<Answer> call(std::string_view method, const std::string& path, std::string body = {});

private:
    Client(std::string url, const config::Security& security);

    std::string url_;
    config::Security security_;
    std::unique_ptr<transport::CurlTransport> transport_;
};

// The message of an error answer, for people.
std::string problemOf(const Client::Answer& answer);

}  // namespace stepper::app
