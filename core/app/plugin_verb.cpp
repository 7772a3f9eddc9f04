#include <cstdio>

#include "core/app/program.h"
#include "core/app/verbs.h"
#include "core/base/temporary_folder.h"
#include "core/plugin/isolation/remote_main.h"
#include "core/plugin/proving/child_probe.h"

namespace stepper::app {

int pluginInspect(const Options& options) {
    const TemporaryFolder copies;
    const auto image = plugin::PluginImage::load(options.so, loadOptions(copies.path()));
    if (!image) return complain(image.error().message);
    constexpr std::pair<uint64_t, const char*> kCapabilities[] = {
        {STEPPER_CAP_STREAM, "stream"}, {STEPPER_CAP_TOOLS, "tools"},
        {STEPPER_CAP_VISION, "vision"}, {STEPPER_CAP_JSON_SCHEMA, "json-schema"},
        {STEPPER_CAP_EMBED, "embed"},   {STEPPER_CAP_PROBE, "probe"},
        {STEPPER_CAP_WARMUP, "warmup"}, {STEPPER_CAP_UNLOADABLE, "unloadable"}};
    const auto& p = **image;
    std::printf("kind          %s\nversion       %s\nabi           %u.%u\nsha256        %s\ncapabilities ",
                p.kind().c_str(), p.version().c_str(), p.abiVersion() >> 16, p.abiVersion() & 0xFFFF,
                p.sha256().c_str());
    for (const auto& [bit, name] : kCapabilities)
        if (p.capabilities() & bit) std::printf(" %s", name);
    std::printf("\nconfig schema %s\n", p.configSchema().c_str());
    return kExitOk;
}

int pluginProbe(const Options& options) {
    if (options.child) return plugin::probeMain(options.so);  // see plugin/child_probe.h
    const TemporaryFolder copies;
    const auto image = plugin::PluginImage::load(options.so, loadOptions(copies.path()));
    if (!image) return complain(image.error().message);
    std::printf("%s %s: sound\n", (*image)->kind().c_str(), (*image)->version().c_str());
    return kExitOk;
}

int pluginHost(const Options& options) {
    if (!options.child)
        return complain("plugin host is what a server runs isolated providers with", kExitUsage);
    return plugin::remoteMain(options.so);
}

}  // namespace stepper::app
