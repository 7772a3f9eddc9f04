// How one server's chat completions differ from OpenAI's: its configuration, and a request put in its terms.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "stepper/kit/chat.hpp"
#include "stepper/kit/config.hpp"

namespace compatible {

namespace sdk = stepper::sdk;
namespace kit = stepper::kit;
using kit::Document;
using kit::Value;

// One provider's block of the configuration. Immutable, shared by its sessions.
struct Profile : kit::Config {
    explicit Profile(std::string_view config_json) : Config(config_json) {
        if (baseUrl().empty())
            throw sdk::ConfigError("base_url is missing: the URL that /chat/completions is appended to");
    }

    sdk::Request request(std::string_view path) const {
        sdk::Request r;
        r.url = std::string(baseUrl()) + std::string(path);
        r.headers = {{"content-type", "application/json"}};
        if (const Value* extra = kit::object(options(), "extra_headers"))
            for (const auto& [name, value] : extra->GetObject())
                if (value.IsString()) r.headers.emplace_back(kit::view(name), kit::view(value));
        return r;
    }
};

// The host's request in this server's dialect. Adds to `warnings` what could not be said in it.
Document dialect(const Profile& profile, kit::ChatRequest request, std::vector<std::string>& warnings);

// Takes out of the body what the provider's complaint names, and says what it did; empty when there is
// nothing the body could do without.
std::string concede(Document& body, std::string_view complaint);

}  // namespace compatible
