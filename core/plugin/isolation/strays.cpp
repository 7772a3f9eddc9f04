#include "core/plugin/isolation/strays.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <set>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/text.h"

namespace stepper::plugin {
namespace fs = std::filesystem;
namespace {

constexpr milliseconds kAtMost{1'000};
constexpr int kQuietLooks = 3;
constexpr size_t kMaxProcFile = 1u << 20;

fs::path proc(pid_t pid, const char* what) { return fs::path("/proc") / std::to_string(pid) / what; }

bool isMarked(pid_t pid) {
    const auto environment = readFile(proc(pid, "environ"), kMaxProcFile);
    return environment && environment->find(kForeignMark) != std::string::npos;
}

bool isThisProgram(pid_t pid) {
    std::error_code ec;
    return fs::equivalent(proc(pid, "exe"), "/proc/self/exe", ec) && !ec;
}

bool isZombie(pid_t pid) {
    siginfo_t ended{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == pid;
}

// Those whom this process had when it first cared: a shell that started them became this program.
const std::set<pid_t>& inherited() {
    static const auto children = [] {
        const auto here = childrenHere();
        return std::set<pid_t>(here.begin(), here.end());
    }();
    return children;
}

}  // namespace

void adoptStrays() {
    (void)inherited();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

std::vector<pid_t> childrenHere() {
    std::vector<pid_t> out;
    const fs::path tasks = "/proc/self/task";
    const auto all = namesIn(tasks);
    if (!all) return out;
    for (const auto& task : *all) {
        const auto children = readFile(tasks / task / "children", kMaxProcFile);
        if (!children) continue;
        for (size_t at = 0; at < children->size();) {
            const size_t space = std::min(children->find(' ', at), children->size());
            out.push_back(static_cast<pid_t>(std::atol(children->substr(at, space - at).c_str())));
            at = space + 1;
        }
    }
    std::erase_if(out, [](pid_t pid) { return pid <= 0; });
    return out;
}

// A container's first process is given whatever is orphaned there, and has to look. Of a zombie nothing can
// be told any more; to reap it harms nobody who does not wait for it.
bool isForeign(pid_t child) {
    if (isZombie(child)) return true;
    if (inherited().contains(child)) return false;
    return ::getpid() != 1 || isMarked(child) || isThisProgram(child);
}

// The kernel's list may miss some while others of it die, so it has to be empty more than once.
int endChildren(const std::function<bool(pid_t)>& which) {
    std::set<pid_t> ended, dying;  // of one that dies nothing can be told before it has died
    const SteadyTime until = std::chrono::steady_clock::now() + kAtMost;
    for (int quiet = 0; quiet < kQuietLooks && std::chrono::steady_clock::now() < until; ++quiet) {
        for (const pid_t child : childrenHere()) {
            if (dying.contains(child) || !which(child)) continue;
            if (!isZombie(child)) ended.insert(child);
            ::kill(child, SIGKILL);
            dying.insert(child);
        }
        if (!dying.empty()) quiet = 0;
        std::erase_if(dying, [](pid_t child) { return ::waitpid(child, nullptr, WNOHANG) != 0; });
        if (!dying.empty() || quiet + 1 < kQuietLooks) ::poll(nullptr, 0, 1);
    }
    return static_cast<int>(ended.size());
}

}  // namespace stepper::plugin
