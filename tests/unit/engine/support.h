// A provider made of the SDK's `shout` example, for tests that need a real plugin.
#pragma once
#include <unistd.h>

#include "core/engine/snapshot.h"

namespace stepper::engine {

inline std::shared_ptr<const plugin::PluginImage> shoutImage() {
    static const auto image = [] {
        plugin::LoadOptions options;
        options.copies_dir =
            std::filesystem::temp_directory_path() / ("stepper-engine-test-" + std::to_string(::getpid()));
        auto loaded = plugin::PluginImage::load(SHOUT_PLUGIN, options);
        std::filesystem::remove_all(options.copies_dir);
        STEPPER_ASSERT(loaded.ok());
        return *loaded;
    }();
    return image;
}

inline ProviderEntry shoutEntry(const std::string& name, bool enabled) {
    static const SystemClock clock;
    ProviderEntry entry;
    entry.spec.name = name;
    entry.spec.plugin = "shout";
    entry.spec.model = "m-1";
    entry.gate = std::make_shared<limits::Gate>(clock, limits::GateOptions{}, [] { return 0.5; });
    if (enabled)
        entry.plugin = *plugin::Provider::create(shoutImage(), R"({"base_url":"https://api.example"})");
    return entry;
}

}  // namespace stepper::engine
