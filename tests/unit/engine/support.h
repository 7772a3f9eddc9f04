// Providers for tests that need a real plugin: the SDK's `shout` example, and chat completions.
#pragma once
#include <unistd.h>

#include "core/engine/snapshot.h"

namespace stepper::engine {

inline std::shared_ptr<const plugin::PluginImage> imageOf(const std::filesystem::path& so) {
    plugin::LoadOptions options;
    options.copies_dir =
        std::filesystem::temp_directory_path() / ("stepper-engine-test-" + std::to_string(::getpid()));
    auto loaded = plugin::PluginImage::load(so, options);
    std::filesystem::remove_all(options.copies_dir);
    STEPPER_ASSERT(loaded.ok());
    return *loaded;
}

inline ProviderEntry entryOf(const std::string& name, std::shared_ptr<const plugin::PluginImage> image) {
    static const SystemClock clock;
    ProviderEntry entry;
    entry.spec.name = name;
    entry.spec.model = "m-1";
    entry.gate = std::make_shared<limits::Gate>(clock, limits::GateOptions{}, [] { return 0.5; });
    entry.targets = {limits::targetId("")};
    entry.chronicle = std::make_shared<Chronicle>(name, clock);
    if (image) {
        entry.spec.plugin = image->kind();
        entry.plugin = *plugin::Provider::create(std::move(image), R"({"base_url":"https://api.example"})");
    }
    return entry;
}

inline ProviderEntry shoutEntry(const std::string& name, bool enabled) {
    static const auto image = imageOf(SHOUT_PLUGIN);
    ProviderEntry entry = entryOf(name, enabled ? image : nullptr);
    entry.spec.plugin = image->kind();
    return entry;
}

inline ProviderEntry chatEntry(const std::string& name) {
    static const auto image = imageOf(CHAT_PLUGIN);
    return entryOf(name, image);
}

}  // namespace stepper::engine
