#include "core/plugin/child_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stepper::plugin {
namespace {

// What posix_spawn is told: the child's descriptors and signals.
class SpawnSettings {
public:
    explicit SpawnSettings(int child_end) {
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, child_end, ChildProcess::kSocket);
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        // Not every library opens its descriptors close-on-exec, and a listening one would outlive us in the
        // child.
        posix_spawn_file_actions_addclosefrom_np(&actions, ChildProcess::kSocket + 1);

        // What ends the host must not end the child first: requests are still being finished then.
        sigset_t blocked, all;
        sigemptyset(&blocked);
        for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) sigaddset(&blocked, s);
        sigfillset(&all);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setsigmask(&attributes, &blocked);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
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

std::string howItEnded(int status) {
    if (WIFSIGNALED(status))
        return "crashed in its own process (signal " + std::to_string(WTERMSIG(status)) + ")";
    return "ended its own process (exit status " + std::to_string(WEXITSTATUS(status)) + ")";
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::spawn(std::vector<std::string> command) {
    const auto failed = [&](int why) {
        return Error{ErrorClass::Internal,
                     "cannot start a process with " + command.front() + ": " + std::strerror(why)};
    };
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return failed(errno);
    Descriptor ours(ends[0]);
    const Descriptor theirs(ends[1]);

    std::vector<char*> argv;
    for (auto& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    // In a sanitized build the runtime would turn a crash into an exit; it is told not to.
    std::string asan = "ASAN_OPTIONS=handle_segv=0:handle_abort=0:detect_leaks=0",
                tsan = "TSAN_OPTIONS=handle_segv=0:handle_abort=0";
    std::array<char*, 3> environment{asan.data(), tsan.data(), nullptr};

    const SpawnSettings settings(theirs.get());
    pid_t pid = 0;
    const int spawned = ::posix_spawn(&pid, argv[0], &settings.actions, &settings.attributes, argv.data(),
                                      environment.data());
    if (spawned != 0) return failed(spawned);
    return std::unique_ptr<ChildProcess>(new ChildProcess(pid, std::move(ours)));
}

ChildProcess::~ChildProcess() {
    if (pid_ > 0) end(milliseconds{0});
}

std::string ChildProcess::end(milliseconds grace) {
    socket_.close();
    const bool left = leaves(grace);
    if (!left) ::kill(pid_, SIGKILL);
    int status = 0;
    pid_t reaped = 0;
    do reaped = ::waitpid(pid_, &status, 0);
    while (reaped < 0 && errno == EINTR);
    pid_ = 0;
    return left && reaped > 0 ? howItEnded(status) : "left its host without an answer and was ended";
}

bool ChildProcess::leaves(milliseconds grace) const {
    if (grace.count() <= 0) return false;
    const Descriptor watched(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!watched) return false;
    pollfd p{watched.get(), POLLIN, 0};
    const SteadyTime until = std::chrono::steady_clock::now() + grace;
    int ready = -1;
    while (ready < 0) {
        const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now()).count();
        ready = left > 0 ? ::poll(&p, 1, static_cast<int>(left)) : 0;
    }
    return ready == 1;
}

}  // namespace stepper::plugin
