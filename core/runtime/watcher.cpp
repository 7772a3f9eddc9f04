#include "core/runtime/watcher.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

#include "core/base/file_watch.h"
#include "core/telemetry/log.h"
#include "core/telemetry/rounds.h"

namespace stepper::runtime {
namespace {

// After a change the files are given this long to come to rest.
constexpr milliseconds kQuiet{100}, kRestless{400};
constexpr std::chrono::minutes kIdle{10};
constexpr milliseconds kAfterError{1'000};

void complain(const std::string& why) {
    log::warn("files are not watched; changes are seen every 10 s, at SIGHUP and POST /admin/reload",
              {{"reason", why}});
}

}  // namespace

// The thread's as well as the owner's.
struct Watcher::Shared {
    void run();
    // False: it is over.
    bool look();
    void tell();
    bool take(std::vector<std::filesystem::path>& paths);
    void pause();

    FileWatch files;                                 // the thread's, but for wake()
    std::vector<std::filesystem::path> now, before;  // the thread's
    bool complained = false;                         // the thread's
    std::mutex mutex;
    std::condition_variable ended;
    std::vector<std::filesystem::path> paths;
    std::function<void()> changed;  // empty: it is over
};

bool Watcher::Shared::take(std::vector<std::filesystem::path>& out) {
    std::lock_guard lock(mutex);
    out = paths;
    return static_cast<bool>(changed);
}

void Watcher::Shared::tell() {
    std::lock_guard lock(mutex);
    if (changed) changed();
}

void Watcher::Shared::pause() {
    std::unique_lock lock(mutex);
    ended.wait_for(lock, kAfterError, [this] { return !changed; });
}

void Watcher::Shared::run() {
    for (bool more = true; more;) {
        if (hasMemoryFor("watching files", [&] { more = look(); })) continue;
        tell();  // what was seen may not have been told
        pause();
    }
}

bool Watcher::Shared::look() {
    if (!take(now)) return false;
    const auto watching = files.watch(now);
    if (!watching && !complained) complain(watching.error().message);
    complained = !watching;
    if (now != before) tell();
    before = now;
    if (files.wait(std::chrono::steady_clock::now() + kIdle) == FileWatch::Why::Changed) {
        files.settle(kQuiet, kRestless);
        tell();
    }
    return true;
}

Watcher::Watcher(std::function<void()> changed) : shared_(std::make_shared<Shared>()) {
    shared_->changed = std::move(changed);
    try {
        std::thread([shared = shared_] { shared->run(); }).detach();
    } catch (const std::system_error& none) {
        complain("no thread: " + none.code().message());
    }
}

Watcher::~Watcher() {
    {
        std::lock_guard lock(shared_->mutex);
        shared_->changed = {};
    }
    shared_->ended.notify_all();
    shared_->files.wake();
}

void Watcher::watch(std::vector<std::filesystem::path> paths) {
    {
        std::lock_guard lock(shared_->mutex);
        if (paths == shared_->paths) return;
        shared_->paths = std::move(paths);
    }
    shared_->files.wake();
}

}  // namespace stepper::runtime
