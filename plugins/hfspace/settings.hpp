// One Space as the configuration describes it, and a chat request as the one text a Space takes.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stepper/kit/chat.hpp"
#include "stepper/kit/config.hpp"

namespace hfspace {

namespace sdk = stepper::sdk;
namespace kit = stepper::kit;
using kit::Document;
using kit::Value;

// Immutable, shared by the provider's sessions.
struct Settings {
    // Throws ConfigError.
    explicit Settings(std::string_view config_json);

    sdk::Request get(std::string_view path) const;
    sdk::Request post(std::string_view path, const Value& body) const;

    const kit::Config config;
    std::string base_url;
    bool gradio = false;
    const Value* extra_body = nullptr;
    const Value* inputs = nullptr;      // nullptr: the prompt, for a ChatInterface with an empty history
    std::string api_name;               // without a leading slash
    std::string text_pointer;           // RFC 6901
    std::vector<std::string> prefixes;  // where Gradio's API may be, in the order to try
    uint32_t wake_poll_ms = 0;
    int wake_attempts = 0;
};

// The system text and all turns, named when there are several. Throws invalid_argument when there is no text.
std::string promptOf(const kit::ChatRequest& chat);

// A copy of `value` in which every "{{prompt}}" is replaced.
Value filledIn(const Value& value, std::string_view prompt, kit::Allocator& a);

}  // namespace hfspace
