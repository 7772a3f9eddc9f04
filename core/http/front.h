// What the threads of one server share.
#pragma once
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "core/http/http.h"
#include "core/http/idle_connections.h"
#include "core/http/router.h"
#include "core/http/wire.h"

namespace stepper::http {

// How many connections are open. Safe from any thread.
class ConnectionCount {
public:
    bool tryAdd(int max) {
        std::lock_guard lock(mutex_);
        if (count_ >= max) return false;
        ++count_;
        return true;
    }
    // The same, waiting until then for one to end.
    bool addBy(SteadyTime until, int max) {
        std::unique_lock lock(mutex_);
        if (!fewer_.wait_until(lock, until, [&] { return count_ < max; })) return false;
        ++count_;
        return true;
    }
    // `counted` is the connection's own note that it was added; removing it again does nothing.
    void remove(bool& counted) {
        std::lock_guard lock(mutex_);
        if (!std::exchange(counted, false)) return;
        --count_;
        fewer_.notify_all();
    }
    bool awaitNone(SteadyTime until) {
        std::unique_lock lock(mutex_);
        return fewer_.wait_until(lock, until, [this] { return count_ == 0; });
    }
    int value() const {
        std::lock_guard lock(mutex_);
        return count_;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable fewer_;
    int count_ = 0;  // guarded by mutex_
};

struct Front {
    const ServerOptions options;
    const Router router;
    const Server::Filter before;
    const Server::Observer after;
    const Server::Log log;
    const std::shared_ptr<ByteBudget> bodies;

    Ending ending{};
    HangUps hang_ups{};
    std::atomic<bool> draining{false};
    std::atomic<int> in_flight{0};
    ConnectionCount connections{};
    IdleConnections idle{};
};

}  // namespace stepper::http
