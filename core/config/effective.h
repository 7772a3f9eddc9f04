// The configuration in force as JSON, for people and for comparing two of them. Durations are in
// milliseconds.
#pragma once
#include <string>

#include "core/base/json.h"
#include "core/config/config.h"

namespace stepper::config {

enum class Secrets {
    Masked,   // only whether there is one: for anybody to see
    Digested  // tells different ones apart: never to be shown
};
json::Document effective(const Config& config, Secrets secrets);

// A URL without the user and password it may hold.
std::string shownUrl(const std::string& url);

}  // namespace stepper::config
