#include <csignal>
#include <cstdio>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/plugin/isolation/process_state.h"
#include "core/plugin/isolation/strays.h"
#include "core/plugin/proving/child_probe.h"
#include "core/plugin/proving/rehearsal.h"
#include "core/plugin/proving/transcript.h"

namespace stepper::plugin {
namespace fs = std::filesystem;
namespace {

constexpr int kOutOfReach = 100;

// What a probe needs is little; what a broken plugin might take is not.
void limitOurselves() {
    const auto limit = [](int what, rlim_t most) {
        const rlimit value{most, most};
        ::setrlimit(static_cast<__rlimit_resource_t>(what), &value);
    };
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, 20);
    limit(RLIMIT_FSIZE, 1u << 20);
    limit(RLIMIT_NOFILE, 256);
}

int threadCount() {
    const auto tasks = namesIn("/proc/self/task");
    return tasks ? static_cast<int>(tasks->size()) : 0;
}

std::vector<std::string> texts(const json::Value* list) {
    std::vector<std::string> out;
    if (list && list->IsArray())
        for (const auto& v : list->GetArray())
            if (v.IsString()) out.emplace_back(json::view(v));
    return out;
}

// A configuration the plugin refuses is no fault of the plugin: who loads it decides what that means.
Result<void> rehearse(const std::shared_ptr<const PluginImage>& image,
                      const std::vector<std::string>& configs) {
    for (const auto& config : configs) {
        const auto provider = Provider::create(image, config);
        if (!provider) continue;
        if (auto ran = dryRun(*provider); !ran) return ran;
    }
    return {};
}

Result<void> runTranscripts(const std::shared_ptr<const PluginImage>& image, std::string_view text,
                            const std::string& name) {
    const auto transcript = parseTranscript(text, name);
    if (!transcript) return transcript.error();
    for (const auto& test : transcript->cases)
        if (const auto failures = runCase(image, *transcript, test); !failures.empty())
            return Error{ErrorClass::Config, "its own transcript fails: " + name + ":" +
                                                 std::to_string(failures.front().line) + ": " +
                                                 failures.front().message};
    return {};
}

Result<void> runTranscripts(const std::shared_ptr<const PluginImage>& image,
                            const std::vector<std::string>& files) {
    if (const auto embedded = image->embeddedTranscripts(); !embedded.empty())
        if (auto ran = runTranscripts(image, embedded, "embedded"); !ran) return ran;
    for (const auto& file : files) {
        const auto text = readFile(file, kMaxTranscriptBytes);
        if (!text) return Error{ErrorClass::Config, "its transcript " + text.error().message};
        if (auto ran = runTranscripts(image, *text, fs::path(file).filename()); !ran) return ran;
    }
    return {};
}

Result<void> probe(const std::shared_ptr<const PluginImage>& image, int threads, const json::Value& trial) {
    const json::Value* configs = json::find(trial, "configs");
    auto of_kind = configs ? texts(json::find(*configs, image->kind())) : std::vector<std::string>{};
    // Most plugins refuse an empty configuration; what matters is that they do so without dying.
    if (of_kind.empty()) of_kind.push_back("{}");
    if (auto ran = rehearse(image, of_kind); !ran) return ran;
    if (auto ran = runTranscripts(image, texts(json::find(trial, "transcripts"))); !ran) return ran;
    if (threadCount() > threads)
        return Error{ErrorClass::Config, "left a thread running; a plugin has none of its own"};
    return {};
}

std::string descriptionOf(const PluginImage& image) {
    json::Document d(rapidjson::kObjectType);
    auto& a = d.GetAllocator();
    json::set(d, "kind", image.kind(), a);
    json::set(d, "version", image.version(), a);
    json::set(d, "configSchema", image.configSchema(), a);
    json::set(d, "capabilities", std::to_string(image.capabilities()), a);
    json::set(d, "abi", json::Value(image.abiVersion()), a);
    return json::dump(d);
}

// All of it, from loading to destroying; what it says of itself.
Result<std::string> tryOut(const fs::path& file, const json::Value& trial) {
    const int threads = threadCount();
    const auto image = PluginImage::open(file);
    if (!image) return image.error();
    if (auto sound = probe(*image, threads, trial); !sound) return std::move(sound).error();
    return descriptionOf(**image);
}

// What is left of it in this process and around it.
Result<void> lookAround(const ProcessState& before) {
    if (const int strays = endChildren([](pid_t) { return true; }); strays > 0)
        return Error{ErrorClass::Config,
                     "started " + std::to_string(strays) +
                         " process(es) and left them running; a plugin has none of its own"};
    std::string changes;
    for (const auto& change : before.changesTo(ProcessState::whole()))
        changes += (changes.empty() ? "" : "; ") + change;
    if (changes.empty()) return {};
    return Error{ErrorClass::Config, "changes the process it runs in: " + changes};
}

// A second descriptor, for the plugin may close the first.
std::FILE* writerTo(int fd) { return ::fdopen(::fcntl(fd, F_DUPFD_CLOEXEC, kOutOfReach), "w"); }

}  // namespace

int probeMain(const fs::path& file) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    adoptStrays();
    limitOurselves();
    // What the plugin prints must not pass for our answer.
    std::FILE* answer = writerTo(STDOUT_FILENO);
    std::FILE* complaint = writerTo(STDERR_FILENO);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    std::string input;
    for (char buffer[4096];;) {
        const ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
        if (n <= 0) break;
        input.append(buffer, static_cast<size_t>(n));
    }
    const auto trial = json::parse(input.empty() ? "{}" : input);
    if (!answer || !complaint || !trial) {
        std::fprintf(stderr, "the probe was started wrongly\n");
        return 1;
    }
    const ProcessState before = ProcessState::whole();
    auto said = tryOut(file, *trial);
    const auto around = lookAround(before);
    if (said && !around) said = around.error();
    std::fprintf(said ? answer : complaint, "%s\n", said ? said->c_str() : said.error().message.c_str());
    std::fclose(answer);
    std::fclose(complaint);
    return said ? 0 : 1;
}

}  // namespace stepper::plugin
