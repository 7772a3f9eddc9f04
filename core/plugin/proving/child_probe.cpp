#include "core/plugin/proving/child_probe.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/descriptor.h"
#include "core/base/json.h"
#include "core/base/memory_file.h"
#include "core/base/text.h"
#include "core/base/units.h"
#include "core/plugin/isolation/child_process.h"

namespace stepper::plugin {
namespace {

std::string lastLine(std::string_view text) {
    const auto lines = splitLines(trim(text));
    return lines.empty() ? std::string{} : toValidUtf8(utf8Prefix(lines.back(), 500));
}

constexpr milliseconds kGlance{20};

// What the child writes to one descriptor, as far as it is worth keeping.
struct Reading {
    int fd;
    size_t most;
    std::string text = {};
    bool open = true;
};

void readSome(Reading& from) {
    std::array<char, 4096> buffer;
    const ssize_t n = ::read(from.fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) return;
    if (n <= 0) {
        from.open = false;
    } else if (from.text.size() < from.most) {
        from.text.append(buffer.data(), static_cast<size_t>(n));
    }
}

// Reads until the child closes both, or has left although something it started still has them open, or time
// is up. True when the child is done in time.
bool collect(std::array<Reading, 2>& from, const ChildProcess& child, SteadyTime until) {
    bool left = false;
    while (from[0].open || from[1].open) {
        const auto rest = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
        if (rest.count() <= 0) return left;
        std::array<pollfd, 2> p{pollfd{from[0].open ? from[0].fd : -1, POLLIN, 0},
                                pollfd{from[1].open ? from[1].fd : -1, POLLIN, 0}};
        const auto patience = left ? milliseconds{0} : std::min(rest, kGlance);
        const int ready = ::poll(p.data(), p.size(), static_cast<int>(patience.count()));
        if (ready == 0 && left) return true;
        if (ready == 0) left = child.hasLeft();
        for (size_t i = 0; i < p.size(); ++i)
            if (ready > 0 && p[i].revents) readSome(from[i]);
    }
    return true;
}

// To be the child's standard input; none with errno when there is no memory for it.
Descriptor inputOf(const Trial& trial) {
    json::Document d(rapidjson::kObjectType);
    auto& a = d.GetAllocator();
    json::Value configs(rapidjson::kObjectType);
    for (const auto& [kind, texts] : trial.configs) {
        json::Value list(rapidjson::kArrayType);
        for (const auto& text : texts) list.PushBack(json::text(text, a), a);
        json::set(configs, kind, std::move(list), a);
    }
    json::set(d, "configs", std::move(configs), a);
    json::Value transcripts(rapidjson::kArrayType);
    for (const auto& file : trial.transcripts) transcripts.PushBack(json::text(file.string(), a), a);
    json::set(d, "transcripts", std::move(transcripts), a);
    const std::string text = json::dump(d);
    Descriptor file = memoryFile("stepper probe", MemoryUse::Data);
    const bool written =
        file && ::pwrite(file.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
    return written ? std::move(file) : Descriptor();
}

Error problem(std::string what) { return Error{ErrorClass::Config, std::move(what)}; }

// No fault of the plugin: it may go better later.
Error cannotProbe(const std::string& why) { return Error{ErrorClass::Overloaded, "cannot probe: " + why}; }

Result<Description> descriptionIn(std::string_view line) {
    const auto d = json::parse(line);
    if (!d) return problem("its probe ended without a description");
    Description out;
    out.kind = json::string(*d, "kind").value_or("");
    out.version = json::string(*d, "version").value_or("");
    out.config_schema = json::string(*d, "configSchema").value_or("");
    // As text: a JSON number would not hold the highest bit.
    out.capabilities =
        std::strtoull(std::string(json::string(*d, "capabilities").value_or("0")).c_str(), nullptr, 10);
    out.abi_version = static_cast<uint32_t>(json::integer(*d, "abi").value_or(0));
    if (out.kind.empty() || out.version.empty()) return problem("its probe ended without a description");
    return out;
}

}  // namespace

Result<Description> probeInChild(const std::filesystem::path& program, const PrivateCopy& copy,
                                 const Trial& trial, std::chrono::milliseconds timeout) {
    const Descriptor input = inputOf(trial);
    std::array<int, 2> out{-1, -1}, err{-1, -1};
    const bool piped = input.get() >= 0 && ::pipe2(out.data(), O_CLOEXEC) == 0;
    const Descriptor out_reader(out[0]);
    Descriptor out_writer(out[1]);
    if (!piped || ::pipe2(err.data(), O_CLOEXEC) != 0) return cannotProbe(std::strerror(errno));
    const Descriptor err_reader(err[0]);
    Descriptor err_writer(err[1]);
    std::vector<ChildProcess::Handover> descriptors{
        {input.get(), STDIN_FILENO}, {out_writer.get(), STDOUT_FILENO}, {err_writer.get(), STDERR_FILENO}};
    const auto file = copy.inChild(descriptors);
    auto child = ChildProcess::spawn({program, "plugin", "probe", "--child", file}, descriptors,
                                     ChildProcess::Ends::WithSignals);
    if (!child) return cannotProbe(child.error().message);
    out_writer.close();
    err_writer.close();

    const SteadyTime until = std::chrono::steady_clock::now() + timeout;
    std::array<Reading, 2> said{Reading{out_reader.get(), 2u << 20}, Reading{err_reader.get(), 65'536}};
    // It may have closed its outputs and still hang on its way out.
    const auto status = collect(said, *child, until) ? child->end(until) : std::nullopt;
    if (!status) return problem("hung while being probed and was ended after " + formatDuration(timeout));
    if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return descriptionIn(said[0].text);
    const std::string last = lastLine(said[1].text);
    if (WIFSIGNALED(*status))
        return problem("crashed while being probed (signal " + std::to_string(WTERMSIG(*status)) + ")" +
                       (last.empty() ? "" : ": " + last));
    return problem(last.empty() ? "failed its probe" : last);
}

}  // namespace stepper::plugin
