#include "core/plugin/process_state.h"

#include <algorithm>
#include <cerrno>
#include <cfenv>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "core/base/file.h"
#include "core/base/text.h"

namespace stepper::plugin {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMaxProcFile = 1u << 20;
constexpr size_t kMaxStatus = 1u << 14;
constexpr std::string_view kVariable = "environment variable ";
constexpr std::string_view kDisposition =
    "the disposition of signal ";  // one that is the default is not noted

constexpr std::pair<__rlimit_resource_t, const char*> kLimits[] = {
    {RLIMIT_CPU, "CPU"},           {RLIMIT_FSIZE, "FSIZE"},
    {RLIMIT_DATA, "DATA"},         {RLIMIT_STACK, "STACK"},
    {RLIMIT_CORE, "CORE"},         {RLIMIT_RSS, "RSS"},
    {RLIMIT_NPROC, "NPROC"},       {RLIMIT_NOFILE, "NOFILE"},
    {RLIMIT_MEMLOCK, "MEMLOCK"},   {RLIMIT_AS, "AS"},
    {RLIMIT_LOCKS, "LOCKS"},       {RLIMIT_SIGPENDING, "SIGPENDING"},
    {RLIMIT_MSGQUEUE, "MSGQUEUE"}, {RLIMIT_NICE, "NICE"},
    {RLIMIT_RTPRIO, "RTPRIO"},     {RLIMIT_RTTIME, "RTTIME"}};

// Of /proc/self/status, and what people call it.
constexpr std::pair<std::string_view, const char*> kStatus[] = {
    {"Umask", "the umask"},
    {"Uid", "the user"},
    {"Gid", "the group"},
    {"Groups", "the list of groups"},
    {"NoNewPrivs", "no_new_privs"},
    {"Seccomp", "the seccomp mode"},
    {"Seccomp_filters", "the number of seccomp filters"},
    {"VmLck", "locked memory"},
    {"CapInh", "inheritable capabilities"},
    {"CapPrm", "permitted capabilities"},
    {"CapEff", "effective capabilities"},
    {"CapBnd", "the capability bounding set"},
    {"CapAmb", "ambient capabilities"},
    {"Cpus_allowed", "the set of allowed processors"}};

constexpr std::pair<int, const char*> kControls[] = {{PR_GET_DUMPABLE, "dumpable"},
                                                     {PR_GET_KEEPCAPS, "keepcaps"},
                                                     {PR_GET_SECUREBITS, "securebits"},
                                                     {PR_GET_TIMERSLACK, "the timer slack"}};

std::string hex(uint64_t value) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

std::string placeOf(const struct stat& info) {
    return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
}

std::optional<std::string> placeOf(const char* path) {
    struct stat info {};
    if (::stat(path, &info) == 0) return placeOf(info);
    return errno == ENOENT || errno == ENOTDIR ? std::optional<std::string>("nowhere") : std::nullopt;
}

size_t occurrences(std::string_view text, std::string_view of) {
    size_t n = 0;
    for (size_t at = text.find(of); at != std::string_view::npos; at = text.find(of, at + 1)) ++n;
    return n;
}

}  // namespace

std::string ProcessState::describe(const std::string& what, const Fact* was, const Fact* is) {
    if (what.starts_with(kVariable)) {
        if (!was) return "it set " + what;
        return std::string(is ? "it changed " : "it removed ") + what;
    }
    if (what.starts_with("descriptor ")) {
        if (!is) return "it closed " + what + " (" + was->text() + ")";
        if (!was) return "it left " + what + " open (" + is->text() + ")";
    }
    const std::string none = what.starts_with(kDisposition) ? "the default" : "not there";
    return what + " was " + (was ? was->text() : none) + " and is " + (is ? is->text() : none);
}

ProcessState ProcessState::shared() {
    ProcessState out;
    out.addLimits();
    out.addSignals();
    out.addTimers();
    out.addEnvironment();
    out.addPlaces();
    out.addStatus();
    out.addArithmetic();
    out.addControls();
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) out.addDescriptor(fd);
    return out;
}

ProcessState ProcessState::whole() {
    ProcessState out = shared();
    out.addDescriptors();
    if (const auto timers = readFile("/proc/self/timers", kMaxProcFile))
        out.facts_["the number of POSIX timers"] = {std::to_string(occurrences(*timers, "ClockID:"))};
    for (const auto& [name, stream] : {std::pair{"stdin", stdin}, {"stdout", stdout}, {"stderr", stderr}})
        out.facts_[std::string("what ") + name + " is"] = {
            hex(reinterpret_cast<uintptr_t>(stream)) + " of descriptor " + std::to_string(::fileno(stream))};
    out.facts_["the handler of std::terminate"] = {hex(reinterpret_cast<uintptr_t>(std::get_terminate()))};
    return out;
}

std::vector<std::string> ProcessState::changesTo(const ProcessState& after) const {
    std::vector<std::string> out;
    const auto note = [&](const std::string& what, const Fact* was, const Fact* is) {
        const bool unknown = (was && !was->is) || (is && !is->is);
        if (!unknown && !(was && is && was->is == is->is)) out.push_back(describe(what, was, is));
    };
    for (const auto& [what, was] : facts_) {
        const auto is = after.facts_.find(what);
        note(what, &was, is == after.facts_.end() ? nullptr : &is->second);
    }
    for (const auto& [what, is] : after.facts_)
        if (!facts_.contains(what)) note(what, nullptr, &is);
    return out;
}

void ProcessState::addLimits() {
    const auto text = [](rlim_t v) { return v == RLIM_INFINITY ? "unlimited" : std::to_string(v); };
    for (const auto& [resource, name] : kLimits) {
        rlimit value{};
        if (::getrlimit(resource, &value) == 0)
            facts_[std::string("the limit ") + name] = {text(value.rlim_cur) + " of " + text(value.rlim_max)};
    }
}

void ProcessState::addSignals() {
    sigset_t blocked;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    std::string mask;
    for (int s = 1; s < NSIG; ++s) {
        if (sigismember(&blocked, s) == 1) mask += (mask.empty() ? "" : " ") + std::to_string(s);
        struct sigaction action {};
        if (::sigaction(s, nullptr, &action) != 0 || action.sa_handler == SIG_DFL) continue;
        const auto handler = reinterpret_cast<uintptr_t>(action.sa_handler);
        facts_[std::string(kDisposition) + std::to_string(s)] = {
            action.sa_handler == SIG_IGN ? "ignored" : "a handler at " + hex(handler)};
    }
    facts_["the set of blocked signals"] = {mask.empty() ? "empty" : mask};
}

void ProcessState::addTimers() {
    for (const auto& [timer, name] :
         {std::pair{ITIMER_REAL, "real"}, {ITIMER_VIRTUAL, "virtual"}, {ITIMER_PROF, "profiling"}}) {
        itimerval value{};
        ::getitimer(timer, &value);
        const bool armed = value.it_value.tv_sec != 0 || value.it_value.tv_usec != 0;
        facts_[std::string("the ") + name + " interval timer"] = {armed ? "armed" : "off"};
    }
}

void ProcessState::addEnvironment() {
    for (char** entry = environ; entry && *entry; ++entry) {
        const std::string_view text = *entry;
        const size_t equals = std::min(text.find('='), text.size());
        facts_[std::string(kVariable) + std::string(text.substr(0, equals))] = {
            std::string(text.substr(equals))};
    }
}

void ProcessState::addPlaces() {
    std::error_code ec;
    facts_["the working directory"] = {placeOf("."), fs::current_path(ec).string()};  // it may be renamed
    facts_["the root directory"] = {placeOf("/")};
    facts_["the session"] = {std::to_string(::getsid(0))};
    facts_["the process group"] = {std::to_string(::getpgid(0))};
}

void ProcessState::addStatus() {
    const auto status = readFile("/proc/self/status", kMaxStatus);
    if (!status)
        for (const auto& [key, name] : kStatus) facts_[name] = {};
    if (!status) return;
    for (const auto line : splitLines(*status)) {
        const size_t colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        for (const auto& [key, name] : kStatus)
            if (line.substr(0, colon) == key) facts_[name] = {std::string(trim(line.substr(colon + 1)))};
    }
}

void ProcessState::addArithmetic() {
    facts_["the rounding mode"] = {std::to_string(std::fegetround())};
    facts_["the set of trapping floating-point exceptions"] = {hex(static_cast<unsigned>(::fegetexcept()))};
#if defined(__x86_64__)
    constexpr unsigned kFlags = 0x3F;  // what has happened, no mode
    facts_["the SSE control word"] = {hex(_mm_getcsr() & ~kFlags)};
    uint16_t x87 = 0;
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    facts_["the x87 control word"] = {hex(x87)};
#endif
    // NOLINTBEGIN(concurrency-mt-unsafe): to ask is safe while nobody sets one
    facts_["the locale"] = {std::setlocale(LC_ALL, nullptr)};
    // NOLINTEND(concurrency-mt-unsafe)
    facts_["the locale of the thread"] = {hex(reinterpret_cast<uintptr_t>(::uselocale(nullptr)))};
}

void ProcessState::addControls() {
    for (const auto& [control, name] : kControls)
        facts_[name] = {std::to_string(::prctl(control, 0, 0, 0, 0))};
    int flag = 0;
    ::prctl(PR_GET_CHILD_SUBREAPER, &flag);
    facts_["child_subreaper"] = {std::to_string(flag)};
    flag = 0;
    ::prctl(PR_GET_PDEATHSIG, &flag);
    facts_["the signal of the parent's death"] = {std::to_string(flag)};
    facts_["the personality"] = {hex(static_cast<unsigned>(::personality(0xFFFF'FFFF)))};
    facts_["the priority"] = {std::to_string(::getpriority(PRIO_PROCESS, 0))};
    facts_["the scheduling policy"] = {std::to_string(::sched_getscheduler(0))};
    const auto score = readFile("/proc/self/oom_score_adj", kMaxStatus);
    facts_["oom_score_adj"] = {score ? std::optional(std::string(trim(*score))) : std::nullopt};
}

// Files may be renamed meanwhile. What has no name is told apart by what the kernel calls it, for many kinds
// of descriptors share one inode.
void ProcessState::addDescriptor(int fd) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) return;
    std::error_code ec;
    const auto target = fs::read_symlink("/proc/self/fd/" + std::to_string(fd), ec);
    Fact& fact = facts_["descriptor " + std::to_string(fd)];
    if (ec) return;
    fact = {placeOf(info) + (target.is_absolute() ? "" : " " + target.string()), target.string()};
}

void ProcessState::addDescriptors() {
    const auto open = namesIn("/proc/self/fd");
    if (!open) return;
    for (const auto& fd : *open)
        addDescriptor(std::atoi(fd.c_str()));  // that of the listing is closed by now
}

}  // namespace stepper::plugin
