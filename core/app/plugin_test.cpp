#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <thread>

#include "core/app/guarded.h"
#include "core/app/verbs.h"
#include "core/base/file.h"
#include "core/base/temporary_folder.h"
#include "core/base/text.h"
#include "core/base/units.h"
#include "core/plugin/proving/fuzz.h"
#include "core/plugin/proving/rehearsal.h"
#include "core/plugin/proving/transcript.h"

namespace stepper::app {
namespace fs = std::filesystem;
namespace {

constexpr milliseconds kPatience{10'000};     // with a step, or a case of a transcript
constexpr milliseconds kThreadsLeave{2'000};  // a thread that is on its way out
constexpr milliseconds kFuzzing{1'000};

// Configurations to try when no transcript names one.
constexpr const char* kConfigs[] = {
    R"({"name":"tested","base_url":"https://provider.example/v1","model":"m-1","options":{}})",
    R"({"name":"tested","base_url":"https://provider.example/v1","model":"m-1"})", "{}"};
// What no plugin can work with, unless it takes no notice of its configuration.
constexpr const char* kWrongConfigs[] = {R"([])", R"("text")",
                                         R"({"base_url":7,"model":[],"options":"none"})",
                                         R"({"base_url":"","model":null,"options":{"\u0000":[[[]]]}})"};

using plugin::Transcript;

struct Text {
    std::string name, content;
};

struct Material {
    std::optional<plugin::PrivateCopy> copy;
    std::vector<Text> texts;
    uint64_t seed = 1;
    milliseconds fuzzing = kFuzzing;
};

using Image = std::shared_ptr<const plugin::PluginImage>;

// Its own transcripts are at hand only where it is mapped.
std::vector<Text> allTexts(const Material& material, const plugin::PluginImage& image) {
    auto out = material.texts;
    if (const auto embedded = image.embeddedTranscripts(); !embedded.empty())
        out.push_back({"embedded", std::string(embedded)});
    return out;
}

void runTranscripts(const Material& material, Progress& progress) {
    progress.tell("transcripts", "while it started");
    const auto image = plugin::PluginImage::open(material.copy->path());
    if (!image) {
        ++progress.failed;
        std::printf("%s\n", image.error().message.c_str());
        return;
    }
    const auto texts = allTexts(material, **image);
    if (texts.empty())
        std::printf("no transcripts: name them, or put them beside the plugin as STEM.transcript\n");
    for (const auto& text : texts) {
        const auto transcript = plugin::parseTranscript(text.content, text.name);
        if (!transcript) {
            ++progress.failed;
            std::printf("%s\n", transcript.error().message.c_str());
            continue;
        }
        for (const auto& test : transcript->cases) {
            progress.tell("transcripts",
                          "in " + text.name + ":" + std::to_string(test.line) + ": " + test.title);
            const auto failures = plugin::runCase(*image, *transcript, test);
            ++(failures.empty() ? progress.passed : progress.failed);
            for (const auto& f : failures)
                std::printf("%s:%d: %s\n", text.name.c_str(), f.line, f.message.c_str());
        }
    }
}

// One line for each rule. What went before a crash has been told when it comes.
class Rules {
public:
    Rules(const Material& material, Progress& progress) : material_(material), progress_(progress) {}

    void check() {
        const int before = threads();
        {
            progress_.tell("start", "while it started");
            const auto image = plugin::PluginImage::open(material_.copy->path());
            if (!image) return tell("start", image.error().message);
            const auto providers = create(*image);
            if (!providers.empty()) {
                dryRun(providers);
                if (material_.fuzzing.count() > 0) fuzz(providers, corpus(**image));
            }
        }
        progress_.tell("threads", "at its end");
        const int left = threadsAfter(before) - before;
        tell("threads", left > 0 ? std::to_string(left) + " left running; a plugin has none of its own" : "",
             "none left");
    }

private:
    using Provider = std::shared_ptr<const plugin::Provider>;

    void tell(const char* rule, const std::string& problem, const std::string& remark = "") {
        ++(problem.empty() ? progress_.passed : progress_.failed);
        const std::string words = !problem.empty() ? "FAILED: " + problem
                                  : remark.empty() ? "ok"
                                                   : "ok (" + remark + ")";
        std::printf("%s: %s\n", rule, words.c_str());
        std::fflush(stdout);
    }

    static int threads() {
        std::error_code ec;
        const fs::directory_iterator tasks("/proc/self/task", ec);
        return static_cast<int>(std::distance(begin(tasks), end(tasks)));
    }
    static int threadsAfter(int before) {
        const SteadyTime until = std::chrono::steady_clock::now() + kThreadsLeave;
        int now = threads();
        for (; now > before && std::chrono::steady_clock::now() < until; now = threads())
            std::this_thread::yield();
        return now;
    }

    std::vector<Transcript> transcripts(const plugin::PluginImage& image) const {
        std::vector<Transcript> out;
        for (const auto& text : allTexts(material_, image))
            if (auto parsed = plugin::parseTranscript(text.content, text.name))
                out.push_back(std::move(parsed).value());
        return out;
    }

    // The configurations its transcripts begin with, or the first of ours that it takes.
    std::vector<Provider> create(const Image& image) {
        std::vector<std::string> configs;
        for (const auto& t : transcripts(*image))
            if (std::find(configs.begin(), configs.end(), t.default_config) == configs.end())
                configs.push_back(t.default_config);
        std::vector<Provider> out;
        std::string refusal;
        const auto attempt = [&](const std::string& config) {
            progress_.tell("configuration", "on " + config.substr(0, 200));
            auto made = plugin::Provider::create(image, config);
            if (made) out.push_back(*made);
            if (!made && refusal.empty()) refusal = made.error().message;
            return made.ok();
        };
        for (const auto& config : configs) attempt(config);
        for (const char* config : kConfigs)
            if (out.empty()) attempt(config);

        size_t refused = 0;
        for (const char* config : kWrongConfigs) {
            progress_.tell("configuration", std::string("on ") + config);
            refused += !plugin::Provider::create(image, config).ok();
        }
        tell("configuration",
             out.empty() ? "none found that it takes; begin a transcript with a config line (" + refusal + ")"
                         : "",
             "taken; " + std::to_string(refused) + " of " + std::to_string(std::size(kWrongConfigs)) +
                 " wrong ones refused");
        return out;
    }

    void dryRun(const std::vector<Provider>& providers) {
        progress_.tell("dry run", "in the dry run");
        for (const auto& provider : providers)
            if (const auto ran = plugin::dryRun(provider); !ran) return tell("dry run", ran.error().message);
        tell("dry run", "");
    }

    // Whatever its transcripts say that a provider answers.
    std::vector<std::string> corpus(const plugin::PluginImage& image) const {
        std::vector<std::string> out;
        for (const auto& transcript : transcripts(image))
            for (const auto& test : transcript.cases)
                for (const auto& d : test.directives)
                    if (d.verb == "body" || d.verb == "data" || d.verb == "cut") out.push_back(d.rest);
        return out;
    }

    void fuzz(const std::vector<Provider>& providers, const std::vector<std::string>& corpus) {
        plugin::FuzzReport all;
        for (const auto& provider : providers) {
            plugin::Fuzzing how;
            how.seed = material_.seed;
            how.until =
                std::chrono::steady_clock::now() + material_.fuzzing / static_cast<int64_t>(providers.size());
            how.corpus = corpus;
            how.listener = [&](std::string_view trail) {
                progress_.tell("fuzz", "on " + std::string(trail));
            };
            const auto ran = plugin::fuzz(provider, how);
            if (!ran) return tell("fuzz", ran.error().message);
            all.sessions += ran->sessions;
            all.events += ran->events;
            if (ran->slowest > all.slowest) {
                all.slowest = ran->slowest;
                all.slowest_event = ran->slowest_event;
            }
        }
        tell("fuzz", "",
             "from seed " + std::to_string(material_.seed) + ", " + std::to_string(all.sessions) +
                 " sessions, " + std::to_string(all.events) + " events");
        const auto slowest = std::chrono::duration_cast<std::chrono::microseconds>(all.slowest);
        char figure[32];
        std::snprintf(figure, sizeof figure, "%.1f ms", static_cast<double>(slowest.count()) / 1'000);
        const bool notable = all.slowest > plugin::kNotableStep;
        tell("step time", "",
             std::string("slowest ") + figure +
                 (notable ? "; WARNING: more than " + formatDuration(plugin::kNotableStep) + " on " +
                                all.slowest_event
                          : ""));
    }

    const Material& material_;
    Progress& progress_;
};

// Status 0 when all is well; what was wrong has been told.
int readMaterial(const Options& options, Material& out) {
    std::vector<fs::path> files(options.transcripts.begin(), options.transcripts.end());
    if (files.empty()) files = plugin::sidecarTranscripts(options.so);
    for (const auto& file : files) {
        auto text = readFile(file, plugin::kMaxTranscriptBytes);
        if (!text) return complain(text.error().message);
        auto parsed = plugin::parseTranscript(*text, file.string());
        if (!parsed) return complain(parsed.error().message);
        out.texts.push_back({file.string(), std::move(*text)});
    }
    out.fuzzing = options.fuzzing.value_or(out.fuzzing);
    out.seed = options.seed.value_or(out.seed);
    return kExitOk;
}

}  // namespace

int pluginTest(const Options& options) {
    Material material;
    if (const int status = readMaterial(options, material); status != kExitOk) return status;
    const auto file = plugin::readPluginFile(options.so);
    if (!file) return complain(file.error().message);
    const TemporaryFolder copies;
    const auto copy = plugin::PrivateCopy::make(*file, copies.path());
    if (!copy) return complain(copy.error().message);
    material.copy = *copy;

    auto cases = runGuarded(kPatience, [&](Progress& p) { runTranscripts(material, p); });
    if (!cases.death.empty()) {
        ++cases.failed;
        std::printf("it %s\n", cases.death.c_str());
    }
    std::printf("%d passed, %d failed\n", cases.passed, cases.failed);

    // What could not be read as a plugin file has been refused above.
    std::printf("exports: ok (one symbol, none of them unique; no static TLS)\n");
    const auto rules = runGuarded(kPatience, [&](Progress& p) { Rules(material, p).check(); });
    if (!rules.death.empty()) std::printf("%s: FAILED: it %s\n", rules.stage.c_str(), rules.death.c_str());
    return cases.failed + rules.failed == 0 && rules.death.empty() ? kExitOk : kExitFailure;
}

}  // namespace stepper::app
