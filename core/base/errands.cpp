#include "core/base/errands.h"

#include <condition_variable>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>

#include "core/base/units.h"

namespace stepper {

// Outlives its owner for as long as an errand is out.
struct Errands::Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::function<void()> returned;
    std::set<std::string> out, left_behind;  // left_behind: those of `out` that nobody waits for
    bool stopped = false;
};

Errands::Errands(milliseconds patience, std::function<void()> returned)
    : patience_(patience), shared_(std::make_shared<Shared>()) {
    shared_->returned = std::move(returned);
}

void Errands::stop() {
    {
        std::lock_guard lock(shared_->mutex);
        shared_->stopped = true;
        shared_->returned = {};
    }
    shared_->changed.notify_all();
}

std::optional<Error> Errands::send(const std::string& what, std::function<void()> work) {
    const auto overloaded = [&](const std::string& why) {
        return Error{ErrorClass::Overloaded, what + " " + why};
    };
    const auto hangs = [&] {
        return overloaded("has not ended within " + formatDuration(patience_) +
                          "; nobody waits for it any more, and it is tried again once it has ended");
    };
    std::unique_lock lock(shared_->mutex);
    if (shared_->stopped) return overloaded("was not begun: the process is ending");
    if (!shared_->out.insert(what).second) return hangs();
    try {
        std::thread([shared = shared_, what, work = std::move(work)]() mutable {
            work();
            work = {};
            std::lock_guard back(shared->mutex);
            shared->out.erase(what);
            if (shared->left_behind.erase(what) > 0 && shared->returned) shared->returned();
            shared->changed.notify_all();
        }).detach();
    } catch (const std::system_error& none) {
        shared_->out.erase(what);
        return overloaded(std::string("has no thread: ") + none.code().message());
    }
    const bool over = shared_->changed.wait_for(
        lock, patience_, [&] { return shared_->stopped || !shared_->out.contains(what); });
    if (!shared_->out.contains(what)) return std::nullopt;
    shared_->left_behind.insert(what);
    return over ? overloaded("was left behind: the process is ending") : hangs();
}

}  // namespace stepper
