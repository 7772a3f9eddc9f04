#include "core/plugin/isolation/belongings.h"

#include <clocale>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/base/descriptor.h"

namespace stepper::plugin {
namespace {

constexpr int kBeyondStandard = 64;

bool sameFile(int a, int b) {
    struct stat of_a {
    }, of_b{};
    return ::fstat(a, &of_a) == 0 && ::fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

mode_t umaskNow() {
    const mode_t now = ::umask(077);
    ::umask(now);
    return now;
}

// Entries of an environment.
std::vector<std::string> environmentNow() {
    std::vector<std::string> out;
    for (char** entry = environ; entry && *entry; ++entry) out.emplace_back(*entry);
    return out;
}

// What the process began with. Nobody here changes any of it.
struct Beginnings {
    // Second descriptors of the standard streams.
    const std::array<Descriptor, 3> streams{
        Descriptor(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, kBeyondStandard)),
        Descriptor(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, kBeyondStandard)),
        Descriptor(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, kBeyondStandard))};
    const Descriptor folder{::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    const mode_t umask = umaskNow();
    const std::string locale =
        std::setlocale(LC_ALL, nullptr);  // NOLINT(concurrency-mt-unsafe): nobody sets one
    const std::vector<std::string> environment = environmentNow();
    std::array<struct sigaction, NSIG> actions{};

    Beginnings() {
        for (int s = 1; s < NSIG; ++s) ::sigaction(s, nullptr, &actions[static_cast<size_t>(s)]);
    }
};
const Beginnings& beginnings() {
    static const Beginnings all;
    return all;
}

// Kept for good: nobody knows how long others read an environment that they have begun with.
void replaceEnvironment(const std::vector<std::string>& with) {
    struct Kept {
        std::vector<std::string> texts;
        std::vector<char*> pointers;
    };
    static std::mutex mutex;
    static auto* const all = new std::deque<Kept>;
    std::lock_guard lock(mutex);
    Kept& kept = all->emplace_back(Kept{with, {}});
    for (auto& text : kept.texts) kept.pointers.push_back(text.data());
    kept.pointers.push_back(nullptr);
    environ = kept.pointers.data();
}

}  // namespace

bool restoreStandardStreams() {
    bool any = false;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        const int saved = beginnings().streams[static_cast<size_t>(fd)].get();
        if (saved < 0 || sameFile(saved, fd)) continue;
        ::dup2(saved, fd);
        any = true;
    }
    return any;
}

Belongings::Belongings() {
    (void)beginnings();
    ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked_);
    for (size_t i = 0; i < limits_.size(); ++i) ::getrlimit(static_cast<__rlimit_resource_t>(i), &limits_[i]);
    std::fegetenv(&arithmetic_);
}

std::string Belongings::putRight() const {
    std::string out;
    for (const auto& change : state_.changesTo(ProcessState::shared()))
        out += (out.empty() ? "" : "; ") + change;
    if (out.empty()) return out;
    putBack();
    return "it changed the process it runs in: " + out;
}

void Belongings::putBack() const {
    restoreStandardStreams();
    for (int s = 1; s < NSIG; ++s) ::sigaction(s, &beginnings().actions[static_cast<size_t>(s)], nullptr);
    constexpr itimerval kOff{};
    for (const auto timer : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) ::setitimer(timer, &kOff, nullptr);
    ::pthread_sigmask(SIG_SETMASK, &blocked_, nullptr);
    for (size_t i = 0; i < limits_.size(); ++i) ::setrlimit(static_cast<__rlimit_resource_t>(i), &limits_[i]);
    std::fesetenv(&arithmetic_);
    ::uselocale(LC_GLOBAL_LOCALE);
    std::setlocale(LC_ALL, beginnings().locale.c_str());  // NOLINT(concurrency-mt-unsafe): somebody else did
    ::umask(beginnings().umask);
    if (beginnings().folder) [[maybe_unused]]
        const int moved = ::fchdir(beginnings().folder.get());
    if (environmentNow() != beginnings().environment) replaceEnvironment(beginnings().environment);
}

}  // namespace stepper::plugin
