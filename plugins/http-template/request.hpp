// The request of an API as its options describe it.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "block.hpp"
#include "stepper/kit/chat.hpp"
#include "stepper/plugin.hpp"

namespace http_template {

// Immutable; borrows the configuration.
class RequestTemplate {
public:
    // Throws ConfigError.
    RequestTemplate(const Block& options, std::string_view base_url);

    // Asks for a stream if the chat does and the API has one. Throws invalid_argument when the chat lacks
    // what the template cannot do without.
    sdk::Request fill(const kit::ChatRequest& chat) const;
    // What the chat asks and the template has no place for.
    std::vector<std::string> leftOut(const kit::ChatRequest& chat) const;

private:
    sdk::Request prototype_;  // what is the same for every request; its URL is the base
    std::string path_;
    const Value* body_;
    const Value* stream_members_;
    int32_t stream_mode_ = STEPPER_BODY_WHOLE;
    bool system_apart_ = false, takes_prompt_ = false, takes_temperature_ = false, model_in_path_ = false;
};

}  // namespace http_template
