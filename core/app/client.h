// Talks to a running server: what `stepper jobs`, `stepper reload` and `stepper generate --async` use.
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
        std::string hint;  // why no key was sent, and what to do where that is the matter
        std::string text;
        json::Document body;  // null when the text is no JSON
    };

    // The server named by --server, else where the configuration says it listens, with the key of --key, else
    // the configured ones. Without an admin key, one on this machine gets the one it keeps in a file.
    // Config error when stepper.yaml cannot be read or tells no port; the providers file is not looked at.
    static Result<Client> make(const Options& options);

    // One request within 90 s. Transport error, saying what to do, when there is nobody to talk to.
    Result<Answer> call(std::string_view method, const std::string& path, std::string body = {});

private:
    Client(std::string url, const Options& options, config::Config config);

    Result<config::Secret> keyFor(std::string_view path) const;

    std::string url_;
    bool is_here_;  // nobody else's: what is secret on this machine may go there
    std::optional<config::Secret> key_;
    config::Config config_;
    std::unique_ptr<transport::CurlTransport> transport_;
};

// The message of an error answer, for people.
std::string problemOf(const Client::Answer& answer);

}  // namespace stepper::app
