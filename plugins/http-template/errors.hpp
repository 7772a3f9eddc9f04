// What the options say about an API's errors, on top of what the kit knows of all of them.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "block.hpp"
#include "stepper/kit/failure.hpp"

namespace http_template {

// Immutable.
class ErrorRules {
public:
    // Throws ConfigError.
    explicit ErrorRules(const Block& options);

    // True when a 2xx response or an event of a stream is an error in disguise.
    bool isError(const Value& json) const;
    // What a refusal stands for.
    sdk::Failure failure(int status, const kit::Headers& headers, std::string_view body) const;

private:
    int64_t retryAfterMs(const kit::Headers& headers, const Value& json) const;

    std::string when_, message_, code_;
    std::map<int, int32_t> classes_;  // by status
    std::string delay_header_, delay_pointer_;
    bool delay_in_ms_;
};

}  // namespace http_template
