// One provider's configuration, and the host's request as a Messages request.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stepper/kit/chat.hpp"
#include "stepper/kit/config.hpp"

namespace anthropic {

namespace sdk = stepper::sdk;
namespace kit = stepper::kit;
using kit::Allocator;
using kit::Document;
using kit::Value;

// Immutable, shared by the provider's sessions.
struct Profile {
    explicit Profile(std::string_view config_json);
    // A POST to {base_url}{path} with the API's headers and no body yet.
    sdk::Request request(std::string_view path) const;

    std::string base_url, model, version = "2023-06-01", beta;
    int64_t max_tokens = 4096;
    bool send_sampling_params = false, structured_output = false;
};

// An object of string members.
Value objectOf(std::initializer_list<std::pair<std::string_view, std::string_view>> members, Allocator& a);

// Adds to `warnings` what the API does not take.
Document messagesRequest(const Profile& profile, const kit::ChatRequest& request,
                         std::vector<std::string>& warnings);

}  // namespace anthropic
