#include "core/base/errands.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "core/base/units.h"

namespace stepper {

// Outlives its owner for as long as an errand is out.
struct Errands::Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::function<void()> returned;
    std::map<std::string, bool> out;  // true: nobody waits for it any more
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

Error Errands::outOfMemory(const std::string& what) {
    return {ErrorClass::Overloaded, what + " found no memory; it can be tried again"};
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
    const auto [mine, is_new] = shared_->out.emplace(what, false);
    if (!is_new) return hangs();
    try {
        std::thread([shared = shared_, what, work = std::move(work)]() mutable {
            try {
                work();
            } catch (const std::bad_alloc&) {  // it has brought nothing, and that is seen
            }
            work = {};
            std::lock_guard back(shared->mutex);
            const auto ended = shared->out.find(what);
            const bool left_behind = ended->second;
            shared->out.erase(ended);
            if (left_behind && shared->returned) shared->returned();
            shared->changed.notify_all();
        }).detach();
    } catch (const std::system_error& none) {
        shared_->out.erase(mine);
        return overloaded(std::string("has no thread: ") + none.code().message());
    } catch (const std::bad_alloc&) {
        shared_->out.erase(mine);
        return outOfMemory(what);
    }
    const bool over = shared_->changed.wait_for(
        lock, patience_, [&] { return shared_->stopped || !shared_->out.contains(what); });
    const auto still = shared_->out.find(what);
    if (still == shared_->out.end()) return std::nullopt;
    still->second = true;
    return over ? overloaded("was left behind: the process is ending") : hangs();
}

}  // namespace stepper
