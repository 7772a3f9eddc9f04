#include "core/plugin/isolation/child_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <set>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/descriptor.h"
#include "core/plugin/isolation/strays.h"

namespace stepper::plugin {
namespace {

constexpr milliseconds kGlance{5};

// Those we started, which are no strays.
struct Registry {
    std::mutex mutex;
    std::set<pid_t> running;
};
Registry& registry() {
    static auto* const registry = new Registry;  // children are ended by whatever is destroyed last
    return *registry;
}

// What posix_spawn is told: the child's descriptors and signals.
class SpawnSettings {
public:
    SpawnSettings(std::span<const ChildProcess::Handover> descriptors, ChildProcess::Ends ends) {
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        int last = STDERR_FILENO;
        for (const auto& [ours, theirs] : descriptors) {
            posix_spawn_file_actions_adddup2(&actions, ours, theirs);
            last = std::max(last, theirs);
        }
        // Not every library opens its descriptors close-on-exec, and a listening one would outlive us in the
        // child.
        posix_spawn_file_actions_addclosefrom_np(&actions, last + 1);

        sigset_t blocked, all;
        sigemptyset(&blocked);
        if (ends == ChildProcess::Ends::WithHost)
            for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) sigaddset(&blocked, s);
        sigfillset(&all);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setsigmask(&attributes, &blocked);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setpgroup(&attributes, 0);
        // To be ended with all that is in it.
        posix_spawnattr_setflags(&attributes,
                                 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    ~SpawnSettings() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    SpawnSettings(const SpawnSettings&) = delete;
    SpawnSettings& operator=(const SpawnSettings&) = delete;

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
};

}  // namespace

Result<ChildProcess> ChildProcess::spawn(std::vector<std::string> command,
                                         std::span<const Handover> descriptors, Ends ends) {
    std::vector<char*> argv;
    for (auto& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    // In a sanitized build the runtime would turn a crash into an exit; it is told not to.
    std::string asan = "ASAN_OPTIONS=handle_segv=0:handle_abort=0:detect_leaks=0",
                tsan = "TSAN_OPTIONS=handle_segv=0:handle_abort=0";
    std::string mark = kForeignMark;
    std::array<char*, 4> environment{asan.data(), tsan.data(), mark.data(), nullptr};

    // Beyond the child's numbers: one that is dealt with must not overwrite one that is not.
    std::vector<Descriptor> lifted;
    std::vector<Handover> moves(descriptors.begin(), descriptors.end());
    int last = STDERR_FILENO;
    for (const auto& [ours, theirs] : moves) last = std::max(last, theirs);
    for (auto& [ours, theirs] : moves) {
        lifted.emplace_back(::fcntl(ours, F_DUPFD_CLOEXEC, last + 1));
        if (!lifted.back())
            return Error{ErrorClass::Overloaded,
                         std::string("no descriptor for a process: ") + std::strerror(errno)};
        ours = lifted.back().get();
    }
    const SpawnSettings settings(moves, ends);
    adoptStrays();
    std::lock_guard lock(registry().mutex);
    pid_t pid = 0;
    const int failed = ::posix_spawn(&pid, argv[0], &settings.actions, &settings.attributes, argv.data(),
                                     environment.data());
    if (failed)
        return Error{ErrorClass::Overloaded,
                     "cannot start a process with " + command.front() + ": " + std::strerror(failed)};
    registry().running.insert(pid);
    return ChildProcess(pid);
}

std::optional<int> ChildProcess::end(SteadyTime until) {
    if (pid_ == 0) return {};
    const bool left = leaves(until);
    if (!left) ::kill(pid_, SIGKILL);
    ::kill(-pid_, SIGKILL);  // its group: the number is its own until it is reaped
    siginfo_t ended{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
    }
    int status = 0;
    pid_t reaped = 0;
    {
        // The number may be another child's as soon as this one is reaped.
        std::lock_guard lock(registry().mutex);
        reaped = ::waitpid(pid_, &status, WNOHANG);
        registry().running.erase(pid_);
    }
    pid_ = 0;
    endStrays();
    return left && reaped > 0 ? std::optional(status) : std::nullopt;
}

int ChildProcess::endStrays() {
    std::lock_guard lock(registry().mutex);
    return endChildren([](pid_t pid) { return !registry().running.contains(pid) && isForeign(pid); });
}

bool ChildProcess::hasLeft() const { return leaves({}); }

bool ChildProcess::leaves(SteadyTime until) const {
    // Older kernels and containers' filters refuse it; then it is looked at now and again.
    const Descriptor watched(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    pollfd p{watched.get(), POLLIN, 0};
    for (;;) {
        siginfo_t ended{};
        const int looked = ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT);
        // Somebody who ignores SIGCHLD has had it reaped.
        if (looked == 0 ? ended.si_pid == pid_ : errno == ECHILD) return true;
        const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
        if (left.count() <= 0) return false;
        ::poll(&p, 1, static_cast<int>((watched ? left : std::min(left, kGlance)).count()));
    }
}

}  // namespace stepper::plugin
