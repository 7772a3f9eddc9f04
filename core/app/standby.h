// A thread that is made now for work that may have to be done when there is none to be had. For one owner.
#pragma once
#include <functional>
#include <future>
#include <system_error>
#include <thread>

namespace stepper::app {

class Standby {
public:
    explicit Standby(std::function<void()> work) : work_(std::move(work)) {
        try {
            thread_ = std::thread([this, called = call_.get_future()]() mutable {
                if (called.get()) work_();
            });
        } catch (const std::system_error&) {
            // One after the other will do.
        }
    }
    // Without having been called it does nothing.
    ~Standby() {
        if (!thread_.joinable()) return;
        call_.set_value(false);
        thread_.join();
    }
    Standby(const Standby&) = delete;
    Standby& operator=(const Standby&) = delete;

    // Does the work beside `meanwhile`, and returns when both are done. Once.
    void callBeside(const std::function<void()>& meanwhile) {
        const bool beside = thread_.joinable();
        if (beside) call_.set_value(true);
        meanwhile();
        if (!beside) return work_();
        thread_.join();
    }

private:
    const std::function<void()> work_;
    std::promise<bool> call_;
    std::thread thread_;
};

}  // namespace stepper::app
