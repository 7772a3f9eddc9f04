#include "core/plugin/child_probe.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/units.h"

namespace stepper::plugin {
namespace {

// Closes its descriptor; -1 is none.
class Descriptor {
public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

private:
    int fd_;
};

std::string lastLine(std::string_view text) {
    const auto lines = splitLines(trim(text));
    return lines.empty() ? std::string{} : toValidUtf8(utf8Prefix(lines.back(), 500));
}

// Reads standard error until the child closes it or time is up. True when the child is done in time.
bool collect(int fd, SteadyTime until, std::string& text) {
    std::array<char, 4096> buffer;
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now()).count();
        if (left <= 0) return false;
        pollfd p{fd, POLLIN, 0};
        if (::poll(&p, 1, static_cast<int>(left)) <= 0) continue;
        const ssize_t n = ::read(fd, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return true;
        if (text.size() < 65'536) text.append(buffer.data(), static_cast<size_t>(n));
    }
}

// The child has closed its standard error; it may still hang on its way out. True when it ended in time.
bool waitForExit(pid_t pid, SteadyTime until, int& status) {
    const Descriptor watched(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd p{watched.get(), POLLIN, 0};
    if (watched.get() < 0 || left <= 0 || ::poll(&p, 1, static_cast<int>(left)) != 1) return false;
    return ::waitpid(pid, &status, 0) == pid;
}

}  // namespace

Result<void> probeInChild(const std::filesystem::path& program, const std::filesystem::path& file,
                          std::chrono::milliseconds timeout) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return Error{ErrorClass::Config, std::string("cannot probe: ") + std::strerror(errno)};
    const Descriptor reader(ends[0]);
    Descriptor writer(ends[1]);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, writer.get(), STDERR_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

    // Nothing of our environment: a plugin's constructor must not see the keys in it. In a sanitized build
    // the runtime would turn a crash into an exit; it is told not to.
    std::string a0 = program, a1 = "plugin", a2 = "probe", a3 = "--child", a4 = file;
    std::array<char*, 6> argv{a0.data(), a1.data(), a2.data(), a3.data(), a4.data(), nullptr};
    std::string asan = "ASAN_OPTIONS=handle_segv=0:handle_abort=0:detect_leaks=0",
                tsan = "TSAN_OPTIONS=handle_segv=0:handle_abort=0";
    std::array<char*, 3> env{asan.data(), tsan.data(), nullptr};
    pid_t pid = 0;
    const int spawned = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), env.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (spawned != 0)
        return Error{ErrorClass::Config,
                     "cannot probe with " + program.string() + ": " + std::strerror(spawned)};
    writer.close();

    const SteadyTime until = std::chrono::steady_clock::now() + timeout;
    std::string diagnostics;
    int status = 0;
    if (!collect(reader.get(), until, diagnostics) || !waitForExit(pid, until, status)) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, &status, 0);
        return Error{ErrorClass::Config,
                     "hung while being probed and was ended after " + formatDuration(timeout)};
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    const std::string last = lastLine(diagnostics);
    if (WIFSIGNALED(status))
        return Error{ErrorClass::Config, "crashed while being probed (signal " +
                                             std::to_string(WTERMSIG(status)) + ")" +
                                             (last.empty() ? "" : ": " + last)};
    return Error{ErrorClass::Config, last.empty() ? "failed its probe" : last};
}

}  // namespace stepper::plugin
