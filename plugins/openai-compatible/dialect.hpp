// How one server's chat completions differ from OpenAI's: its configuration, and a request put in its terms.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "stepper/kit/chat.hpp"

namespace compatible {

namespace sdk = stepper::sdk;
namespace kit = stepper::kit;
using kit::Document;
using kit::Value;

// One provider's block of the configuration. Immutable, shared by its sessions.
struct Profile {
    explicit Profile(std::string_view config_json) : config(kit::parse(config_json)) {
        base_url = kit::string(config, "base_url");
        while (base_url.ends_with('/')) base_url.pop_back();
        if (base_url.empty())
            throw sdk::ConfigError("base_url is missing: the URL that /chat/completions is appended to");
        if (const Value* o = kit::object(config, "options")) options = o;
    }
    std::string word(std::string_view name, std::string_view otherwise) const {
        const std::string_view set = kit::string(*options, name);
        return std::string(kit::find(*options, name) ? set : otherwise);
    }
    bool flag(std::string_view name, bool otherwise) const {
        return kit::boolean(*options, name).value_or(otherwise);
    }

    sdk::Request request(std::string_view path) const {
        sdk::Request r;
        r.url = base_url + std::string(path);
        r.headers = {{"content-type", "application/json"}};
        if (const Value* extra = kit::object(*options, "extra_headers"))
            for (const auto& [name, value] : extra->GetObject())
                if (value.IsString()) r.headers.emplace_back(kit::view(name), kit::view(value));
        return r;
    }

    Document config;
    std::string base_url;
    const Value empty{rapidjson::kObjectType};
    const Value* options = &empty;
};

// The host's request in this server's dialect. Adds to `warnings` what could not be said in it.
Document dialect(const Profile& profile, kit::ChatRequest request, std::vector<std::string>& warnings);

// Takes out of the body what the provider's complaint names, and says what it did; empty when there is
// nothing the body could do without.
std::string concede(Document& body, std::string_view complaint);

}  // namespace compatible
