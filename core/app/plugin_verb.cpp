#include <cstdio>
#include <map>

#include "core/app/host.h"
#include "core/app/plugin_verbs.h"
#include "core/app/verbs.h"
#include "core/plugin/child_probe.h"
#include "core/plugin/remote_main.h"

namespace stepper::app {
namespace {

int inspect(const Options&, const Words& words) {
    if (words.size() != 1) return complain("stepper plugin inspect takes one SO", kExitUsage);
    const TemporaryFolder copies;
    const auto image = plugin::PluginImage::load(words[0], loadOptions(copies.path()));
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

int probe(const Options& options, const Words& words) {
    if (words.size() != 1) return complain("stepper plugin probe takes one SO", kExitUsage);
    if (options.child) return plugin::probeMain(words[0]);  // see plugin/child_probe.h
    const TemporaryFolder copies;
    const auto image = plugin::PluginImage::load(words[0], loadOptions(copies.path()));
    if (!image) return complain(image.error().message);
    std::printf("%s %s: sound\n", (*image)->kind().c_str(), (*image)->version().c_str());
    return kExitOk;
}

// Only this program starts itself so, for a provider with a process of its own; see plugin/remote_main.h.
int host(const Options& options, const Words& words) {
    if (!options.child || words.size() != 1)
        return complain("stepper plugin host is what a server runs isolated providers with", kExitUsage);
    return plugin::remoteMain(words[0]);
}

}  // namespace

int complain(const std::string& problem, int status) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return status;
}

int pluginVerb(const Options& options) {
    const std::map<std::string, int (*)(const Options&, const Words&)> verbs = {
        {"list", pluginList}, {"inspect", inspect}, {"probe", probe},  {"host", host},
        {"new", pluginNew},   {"test", pluginTest}, {"try", pluginTry}};
    const auto verb = verbs.find(options.words.empty() ? "" : options.words.front());
    if (verb == verbs.end())
        return complain("stepper plugin takes new, test, try, list, inspect or probe", kExitUsage);
    return verb->second(options, {options.words.begin() + 1, options.words.end()});
}

}  // namespace stepper::app
