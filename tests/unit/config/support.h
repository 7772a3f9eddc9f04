// Parses configuration texts with an environment of the test's own.
#pragma once
#include <string>

#include "core/config/config.h"

namespace stepper::config {

inline Result<Config> parseBoth(const std::string& settings, const std::string& providers,
                                const Environment& env = {}) {
    return parse({.stepper_yaml = settings, .providers_yaml = providers, .base_dir = "/etc/stepper"}, env);
}
inline Result<Config> parseSettings(const std::string& settings, const Environment& env = {}) {
    return parseBoth(settings, "providers: []", env);
}
inline Result<Config> parseProviders(const std::string& providers, const Environment& env = {}) {
    return parseBoth("{}", providers, env);
}
// The one provider of a file with this block; each line of `keys` ends in a newline and is indented by 4.
inline Result<Config> parseProvider(const std::string& keys, const Environment& env = {}) {
    return parseProviders("providers:\n  - name: one\n    plugin: p\n" + keys, env);
}
inline std::string problemOf(const Result<Config>& r) {
    if (r.ok()) return "(no problem)";
    return r.error().error_class == ErrorClass::Config ? r.error().message : "(not a Config error)";
}

}  // namespace stepper::config
