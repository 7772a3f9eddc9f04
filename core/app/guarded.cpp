#include "core/app/guarded.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/descriptor.h"
#include "core/base/units.h"

namespace stepper::app {
namespace {

template <size_t n>
void put(char (&to)[n], std::string_view text) {
    const size_t length = std::min(text.size(), n - 1);
    std::memcpy(to, text.data(), length);
    to[length] = '\0';
}

// Sanitizers and others may have handlers that would turn a crash into an exit.
void becomeMortal() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    for (const int s : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) std::signal(s, SIG_DFL);
}

std::string describe(int status) {
    if (WIFSIGNALED(status)) return "crashed with signal " + std::to_string(WTERMSIG(status));
    return "ended the whole process with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

void Progress::tell(std::string_view stage, std::string_view what) {
    put(stage_, stage);
    put(what_, what);
    beats_.fetch_add(1);
}

Guarded runGuarded(milliseconds patience, const std::function<void(Progress&)>& body) {
    void* shared =
        ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return {0, 0, "start", std::string("failed: ") + std::strerror(errno)};
    auto* progress = new (shared) Progress;
    std::fflush(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
        becomeMortal();
        body(*progress);
        progress->returned_ = true;
        std::fflush(nullptr);
        ::_exit(0);
    }
    Guarded out;
    if (pid < 0) {
        out.stage = "start";
        out.death = std::string("failed: ") + std::strerror(errno);
    } else {
        const Descriptor watched(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
        bool hung = false;
        uint64_t heard = 0;
        for (pollfd p{watched.get(), POLLIN, 0}; ::poll(&p, 1, static_cast<int>(patience.count())) != 1;) {
            const uint64_t beats = progress->beats_.load();
            if (hung = beats == heard; hung) break;
            heard = beats;
        }
        if (hung) ::kill(pid, SIGKILL);
        int status = 0;
        while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
        if (!progress->returned_) {
            out.stage = progress->stage_;
            out.death = (hung ? "hung, and was ended after " + formatDuration(patience) : describe(status)) +
                        " " + progress->what_;
        }
    }
    out.passed = progress->passed;
    out.failed = progress->failed;
    ::munmap(shared, sizeof(Progress));
    return out;
}

}  // namespace stepper::app
