#include "core/plugin/belongings.h"

#include <clocale>
#include <deque>
#include <filesystem>
#include <mutex>

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/descriptor.h"

namespace stepper::plugin {
namespace fs = std::filesystem;
namespace {

constexpr int kBeyondStandard = 64;

// Second descriptors of the standard streams, made before any plugin runs here.
const std::array<Descriptor, 3>& standardStreams() {
    static const std::array<Descriptor, 3> streams{
        Descriptor(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, kBeyondStandard)),
        Descriptor(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, kBeyondStandard)),
        Descriptor(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, kBeyondStandard))};
    return streams;
}

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

// As the process was started; nobody here changes it.
mode_t umaskOfProcess() {
    static const mode_t first = umaskNow();
    return first;
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
        const int saved = standardStreams()[static_cast<size_t>(fd)].get();
        if (saved < 0 || sameFile(saved, fd)) continue;
        ::dup2(saved, fd);
        any = true;
    }
    return any;
}

Belongings::Belongings() {
    (void)standardStreams();
    (void)umaskOfProcess();
    for (int s = 1; s < NSIG; ++s) ::sigaction(s, nullptr, &actions_[static_cast<size_t>(s)]);
    ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked_);
    for (size_t i = 0; i < limits_.size(); ++i) ::getrlimit(static_cast<__rlimit_resource_t>(i), &limits_[i]);
    std::fegetenv(&arithmetic_);
    std::error_code ec;
    folder_ = fs::current_path(ec).string();
    locale_ = std::setlocale(LC_ALL, nullptr);  // NOLINT(concurrency-mt-unsafe): nobody here sets one
    for (char** entry = environ; entry && *entry; ++entry) environment_.emplace_back(*entry);
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
    for (int s = 1; s < NSIG; ++s) ::sigaction(s, &actions_[static_cast<size_t>(s)], nullptr);
    constexpr itimerval kOff{};
    for (const auto timer : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) ::setitimer(timer, &kOff, nullptr);
    ::pthread_sigmask(SIG_SETMASK, &blocked_, nullptr);
    for (size_t i = 0; i < limits_.size(); ++i) ::setrlimit(static_cast<__rlimit_resource_t>(i), &limits_[i]);
    std::fesetenv(&arithmetic_);
    ::uselocale(LC_GLOBAL_LOCALE);
    std::setlocale(LC_ALL, locale_.c_str());  // NOLINT(concurrency-mt-unsafe): it was set by somebody else
    ::umask(umaskOfProcess());
    std::error_code ec;
    fs::current_path(folder_, ec);
    std::vector<std::string> now;
    for (char** entry = environ; entry && *entry; ++entry) now.emplace_back(*entry);
    if (now != environment_) replaceEnvironment(environment_);
}

}  // namespace stepper::plugin
