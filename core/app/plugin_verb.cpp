#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>

#include "core/app/host.h"
#include "core/app/verbs.h"
#include "core/plugin/catalog.h"
#include "core/plugin/transcript.h"

namespace stepper::app {
namespace {

using Words = std::vector<std::string>;

int complain(const std::string& problem, int status = kExitFailure) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return status;
}

int list(const Words& words) {
    const TemporaryFolder copies;
    const auto dir = words.empty() ? defaultPluginsDir() : std::filesystem::path(words[0]);
    const auto catalog = plugin::loadCatalog(dir, loadOptions(copies));
    for (const auto& [kind, image] : catalog.by_kind)
        std::printf("%-20s %-10s %s\n", kind.c_str(), image->version().c_str(), image->file().c_str());
    for (const auto& refused : catalog.refused) std::printf("refused: %s\n", refused.reason.c_str());
    return catalog.refused.empty() ? kExitOk : kExitFailure;
}

int inspect(const Words& words) {
    if (words.size() != 1) return complain("stepper plugin inspect takes one SO", kExitUsage);
    const TemporaryFolder copies;
    const auto image = plugin::PluginImage::load(words[0], loadOptions(copies));
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

int probe(const Words& words) {
    if (words.size() != 1) return complain("stepper plugin probe takes one SO", kExitUsage);
    const TemporaryFolder copies;
    const auto image = plugin::PluginImage::load(words[0], loadOptions(copies));
    if (!image) return complain(image.error().message);
    std::printf("%s %s: sound\n", (*image)->kind().c_str(), (*image)->version().c_str());
    return kExitOk;
}

struct Tally {
    int passed = 0, failed = 0;
};

bool runFile(const std::shared_ptr<const plugin::PluginImage>& image, const std::string& file, Tally& tally) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return complain(file + ": cannot be read"), false;
    const std::string text(std::istreambuf_iterator<char>(in), {});
    const auto transcript = plugin::parseTranscript(text, file);
    if (!transcript) return complain(transcript.error().message), false;
    for (const auto& test : transcript->cases) {
        const auto failures = plugin::runCase(image, *transcript, test);
        ++(failures.empty() ? tally.passed : tally.failed);
        for (const auto& f : failures) std::printf("%s:%d: %s\n", file.c_str(), f.line, f.message.c_str());
    }
    return true;
}

int test(const Words& words) {
    if (words.size() < 2)
        return complain("stepper plugin test takes one SO and at least one TRANSCRIPT", kExitUsage);
    const TemporaryFolder copies;
    const auto image = plugin::PluginImage::load(words[0], loadOptions(copies));
    if (!image) return complain(image.error().message);
    Tally tally;
    bool readable = true;
    for (size_t i = 1; i < words.size(); ++i) readable = runFile(*image, words[i], tally) && readable;
    std::printf("%d passed, %d failed\n", tally.passed, tally.failed);
    return readable && tally.failed == 0 ? kExitOk : kExitFailure;
}

}  // namespace

int pluginVerb(const Options& options) {
    const std::map<std::string, int (*)(const Words&)> verbs = {
        {"list", list}, {"inspect", inspect}, {"probe", probe}, {"test", test}};
    const auto verb = verbs.find(options.words.empty() ? "" : options.words.front());
    if (verb == verbs.end()) return complain("stepper plugin takes list, inspect, probe or test", kExitUsage);
    const Words rest(options.words.begin() + 1, options.words.end());
    // The host runs itself so, see plugin/child_probe.h.
    if (options.child && verb->first == "probe" && rest.size() == 1) return plugin::probeMain(rest[0]);
    return verb->second(rest);
}

}  // namespace stepper::app
