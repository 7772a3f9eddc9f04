#include "core/config/config.h"
#include "core/config/env_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace stepper;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const config::Environment env = {{"KEY", "value"}, {"PORT", "3001"}};
    // The same bytes as either file: both readers meet them.
    config::Sources as_providers;
    as_providers.providers_yaml = text;
    (void)config::parse(as_providers, env);
    config::Sources as_settings;
    as_settings.stepper_yaml = text;
    (void)config::parse(as_settings, env);
    (void)config::parseEnvFile(text, ".env");
    return 0;
}
