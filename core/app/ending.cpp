#include "core/app/ending.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bitset>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <pthread.h>
#include <unistd.h>

#include "core/app/verbs.h"
#include "core/telemetry/log.h"

namespace stepper::app {
namespace {

// After the drain: what was cut has to notice, and the last things are written.
constexpr std::chrono::seconds kLastGrace{15};
constexpr std::chrono::hours kNoHurry{1};

constexpr int kMeaningful[] = {SIGINT, SIGTERM, SIGHUP};
constexpr int kMeaningless[] = {SIGUSR1, SIGUSR2, SIGALRM,   SIGVTALRM, SIGPROF,
                                SIGIO,   SIGPWR,  SIGSTKFLT, SIGXFSZ};

sigset_t setOf(std::initializer_list<int> more) {
    sigset_t set;
    sigemptyset(&set);
    for (const int s : kMeaningful) sigaddset(&set, s);
    for (const int s : kMeaningless) sigaddset(&set, s);
    for (int s = SIGRTMIN; s <= SIGRTMAX; ++s) sigaddset(&set, s);
    for (const int s : more) sigaddset(&set, s);
    return set;
}

std::atomic<pthread_t> listener{};

// A plugin has unblocked it in its thread.
extern "C" void passOn(int signal) {
    const int before = errno;
    if (const pthread_t to = listener.load()) ::pthread_kill(to, signal);
    errno = before;
}

timespec toTimespec(SteadyTime::duration d) {
    const auto s = std::chrono::floor<std::chrono::seconds>(d);
    return {s.count(), static_cast<long>((d - s) / std::chrono::nanoseconds{1})};
}

}  // namespace

// Blocked, they wait for the listener; what a thread unblocks nevertheless is passed on or ignored.
void takeSignals() {
    const sigset_t blocked = setOf({SIGPIPE});
    ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
    struct sigaction pass {};
    pass.sa_handler = &passOn;
    pass.sa_flags = SA_RESTART;
    for (const int s : kMeaningful) ::sigaction(s, &pass, nullptr);
    for (const int s : kMeaningless) std::signal(s, SIG_IGN);
    for (int s = SIGRTMIN; s <= SIGRTMAX; ++s) std::signal(s, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
}

struct Ending::State {
    [[noreturn]] void listen();
    void take(int signal);
    SteadyTime::duration left();

    std::mutex mutex;
    std::condition_variable changed;
    milliseconds drain{0};
    bool look = false;
    std::optional<SteadyTime> asked;
    std::bitset<_NSIG> told;  // the listener's
};

// A second signal ends the process at once, whatever the drain is waiting for; and so does the time that it
// must be over by, for a plugin that hangs in a step can be waited for for ever.
void Ending::State::listen() {
    const sigset_t set = setOf({});
    for (;;) {
        const auto left = this->left();
        if (left <= SteadyTime::duration{0}) {
            std::fprintf(stderr, "stepper: something does not end; leaving without it\n");
            ::_exit(kExitFailure);
        }
        const timespec patience = toTimespec(left);
        if (const int signal = ::sigtimedwait(&set, nullptr, &patience); signal > 0) take(signal);
    }
}

// Asked for anew after every wait: what is allowed may have grown meanwhile.
SteadyTime::duration Ending::State::left() {
    std::lock_guard lock(mutex);
    return asked ? *asked + drain + kLastGrace - std::chrono::steady_clock::now() : kNoHurry;
}

void Ending::State::take(int signal) {
    const bool end = signal == SIGINT || signal == SIGTERM;
    if (!end && signal != SIGHUP) {
        if (told[signal]) return;  // a timer may send thousands
        told.set(signal);
        log::warn("signal ignored", {{"signal", signal}, {"name", ::strsignal(signal)}});
        return;
    }
    {
        std::lock_guard lock(mutex);
        if (end && asked) ::_exit(128 + signal);
        if (end) asked = std::chrono::steady_clock::now();
        look = look || !end;
    }
    changed.notify_all();
}

std::unique_ptr<Ending> Ending::prepare() {
    auto state = std::make_shared<State>();
    std::thread thread([state] { state->listen(); });
    listener = thread.native_handle();
    thread.detach();
    return std::unique_ptr<Ending>(new Ending(std::move(state)));
}

void Ending::allow(milliseconds drain) {
    std::lock_guard lock(state_->mutex);
    state_->drain = drain;
}

Ending::Asked Ending::wait(milliseconds at_most) {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait_for(lock, at_most, [&] { return state_->asked || state_->look; });
    if (state_->asked) return Asked::End;
    return std::exchange(state_->look, false) ? Asked::Look : Asked::Nothing;
}

SteadyTime Ending::asked() const {
    std::lock_guard lock(state_->mutex);
    return state_->asked.value();
}

}  // namespace stepper::app
