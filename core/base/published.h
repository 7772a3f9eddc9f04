// The value in force, replaced as a whole. Whoever takes it keeps what was in force then, as long as needed.
#pragma once
#include <memory>
#include <mutex>

namespace stepper {

// Safe from any thread. What is replaced is let go outside of the lock.
template <class T>
class Published {
public:
    Published() = default;
    explicit Published(std::shared_ptr<const T> first) : current_(std::move(first)) {}

    std::shared_ptr<const T> get() const {
        std::lock_guard lock(mutex_);
        return current_;
    }
    void publish(std::shared_ptr<const T> next) {
        std::lock_guard lock(mutex_);
        current_.swap(next);
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const T> current_;
};

}  // namespace stepper
