#include "core/plugin/isolation/process_state.h"

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
constexpr std::string_view kDescriptor = "descriptor ";
constexpr std::string_view kDisposition =
    "the disposition of signal ";  // one that is the default is not noted

constexpr std::pair<__rlimit_resource_t, const char*> kLimits[] = {
    {RLIMIT_CPU, "the limit CPU"},           {RLIMIT_FSIZE, "the limit FSIZE"},
    {RLIMIT_DATA, "the limit DATA"},         {RLIMIT_STACK, "the limit STACK"},
    {RLIMIT_CORE, "the limit CORE"},         {RLIMIT_RSS, "the limit RSS"},
    {RLIMIT_NPROC, "the limit NPROC"},       {RLIMIT_NOFILE, "the limit NOFILE"},
    {RLIMIT_MEMLOCK, "the limit MEMLOCK"},   {RLIMIT_AS, "the limit AS"},
    {RLIMIT_LOCKS, "the limit LOCKS"},       {RLIMIT_SIGPENDING, "the limit SIGPENDING"},
    {RLIMIT_MSGQUEUE, "the limit MSGQUEUE"}, {RLIMIT_NICE, "the limit NICE"},
    {RLIMIT_RTPRIO, "the limit RTPRIO"},     {RLIMIT_RTTIME, "the limit RTTIME"}};

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

std::string ProcessState::describe(const std::string& what, const Value* was, const Value* is) {
    if (what.starts_with(kVariable)) {
        if (!was) return "it set " + what;
        return std::string(is ? "it changed " : "it removed ") + what;
    }
    if (what.starts_with(kDescriptor)) {
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
        out.add("the number of POSIX timers", {std::to_string(occurrences(*timers, "ClockID:"))});
    for (const auto& [name, stream] :
         {std::pair{"what stdin is", stdin}, {"what stdout is", stdout}, {"what stderr is", stderr}})
        out.add(name, {hex(reinterpret_cast<uintptr_t>(stream)) + " of descriptor " +
                       std::to_string(::fileno(stream))});
    out.add("the handler of std::terminate", {hex(reinterpret_cast<uintptr_t>(std::get_terminate()))});
    return out;
}

void ProcessState::add(std::string_view what, Value value, int number) {
    facts_.push_back({what, number, std::move(value)});
}

std::map<std::string, ProcessState::Value> ProcessState::byName() const {
    std::map<std::string, Value> out;
    for (const auto& f : facts_)
        out[std::string(f.what) + (f.number < 0 ? "" : std::to_string(f.number))] = f.value;
    for (std::string_view rest = environment_; !rest.empty();) {
        const std::string_view entry = rest.substr(0, rest.find('\0'));
        rest.remove_prefix(entry.size() + 1);
        const size_t equals = std::min(entry.find('='), entry.size());
        out[std::string(kVariable).append(entry.substr(0, equals))] = {std::string(entry.substr(equals))};
    }
    return out;
}

std::vector<std::string> ProcessState::changesTo(const ProcessState& after) const {
    std::vector<std::string> out;
    if (facts_ == after.facts_ && environment_ == after.environment_) return out;
    const auto note = [&](const std::string& what, const Value* was, const Value* is) {
        const bool unknown = (was && !was->is) || (is && !is->is);
        if (!unknown && !(was && is && *was == *is)) out.push_back(describe(what, was, is));
    };
    const auto before = byName(), now = after.byName();
    for (const auto& [what, was] : before) {
        const auto is = now.find(what);
        note(what, &was, is == now.end() ? nullptr : &is->second);
    }
    for (const auto& [what, is] : now)
        if (!before.contains(what)) note(what, nullptr, &is);
    return out;
}

void ProcessState::addLimits() {
    const auto text = [](rlim_t v) { return v == RLIM_INFINITY ? "unlimited" : std::to_string(v); };
    for (const auto& [resource, name] : kLimits) {
        rlimit value{};
        if (::getrlimit(resource, &value) == 0)
            add(name, {text(value.rlim_cur) + " of " + text(value.rlim_max)});
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
        add(kDisposition, {action.sa_handler == SIG_IGN ? "ignored" : "a handler at " + hex(handler)}, s);
    }
    add("the set of blocked signals", {mask.empty() ? "empty" : mask});
}

void ProcessState::addTimers() {
    for (const auto& [timer, name] : {std::pair{ITIMER_REAL, "the real interval timer"},
                                      {ITIMER_VIRTUAL, "the virtual interval timer"},
                                      {ITIMER_PROF, "the profiling interval timer"}}) {
        itimerval value{};
        ::getitimer(timer, &value);
        const bool armed = value.it_value.tv_sec != 0 || value.it_value.tv_usec != 0;
        add(name, {armed ? "armed" : "off"});
    }
}

void ProcessState::addEnvironment() {
    for (char** entry = environ; entry && *entry; ++entry) environment_.append(*entry).push_back('\0');
}

void ProcessState::addPlaces() {
    std::error_code ec;
    add("the working directory", {placeOf("."), fs::current_path(ec).string()});  // it may be renamed
    add("the root directory", {placeOf("/")});
    add("the session", {std::to_string(::getsid(0))});
    add("the process group", {std::to_string(::getpgid(0))});
}

void ProcessState::addStatus() {
    const auto status = readFile("/proc/self/status", kMaxStatus);
    if (!status)
        for (const auto& [key, name] : kStatus) add(name, {});
    if (!status) return;
    for (const auto line : splitLines(*status)) {
        const size_t colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        for (const auto& [key, name] : kStatus)
            if (line.substr(0, colon) == key) add(name, {std::string(trim(line.substr(colon + 1)))});
    }
}

void ProcessState::addArithmetic() {
    add("the rounding mode", {std::to_string(std::fegetround())});
    add("the set of trapping floating-point exceptions", {hex(static_cast<unsigned>(::fegetexcept()))});
#if defined(__x86_64__)
    constexpr unsigned kFlags = 0x3F;  // what has happened, no mode
    add("the SSE control word", {hex(_mm_getcsr() & ~kFlags)});
    uint16_t x87 = 0;
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    add("the x87 control word", {hex(x87)});
#endif
    // NOLINTBEGIN(concurrency-mt-unsafe): to ask is safe while nobody sets one
    add("the locale", {std::setlocale(LC_ALL, nullptr)});
    // NOLINTEND(concurrency-mt-unsafe)
    add("the locale of the thread", {hex(reinterpret_cast<uintptr_t>(::uselocale(nullptr)))});
}

void ProcessState::addControls() {
    for (const auto& [control, name] : kControls) add(name, {std::to_string(::prctl(control, 0, 0, 0, 0))});
    int flag = 0;
    ::prctl(PR_GET_CHILD_SUBREAPER, &flag);
    add("child_subreaper", {std::to_string(flag)});
    flag = 0;
    ::prctl(PR_GET_PDEATHSIG, &flag);
    add("the signal of the parent's death", {std::to_string(flag)});
    add("the personality", {hex(static_cast<unsigned>(::personality(0xFFFF'FFFF)))});
    add("the priority", {std::to_string(::getpriority(PRIO_PROCESS, 0))});
    add("the scheduling policy", {std::to_string(::sched_getscheduler(0))});
    const auto score = readFile("/proc/self/oom_score_adj", kMaxStatus);
    add("oom_score_adj", {score ? std::optional(std::string(trim(*score))) : std::nullopt});
}

// Files may be renamed meanwhile. What has no name is told apart by what the kernel calls it, for many kinds
// of descriptors share one inode.
void ProcessState::addDescriptor(int fd) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) return;
    std::error_code ec;
    const auto target = fs::read_symlink("/proc/self/fd/" + std::to_string(fd), ec);
    if (ec) return add(kDescriptor, {}, fd);
    add(kDescriptor, {placeOf(info) + (target.is_absolute() ? "" : " " + target.string()), target.string()},
        fd);
}

void ProcessState::addDescriptors() {
    const auto open = namesIn("/proc/self/fd");
    if (!open) return;
    for (const auto& fd : *open)
        addDescriptor(std::atoi(fd.c_str()));  // that of the listing is closed by now
}

}  // namespace stepper::plugin
