// Time, injected. Deadlines and windows use the steady clock, what outlives the process the uptime; wall time
// is for people and calendars. Both implementations may be used from any thread.
#pragma once
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace stepper {

using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

class Clock {
public:
    virtual ~Clock() = default;
    virtual SteadyTime now() const = 0;
    virtual WallTime wall() const = 0;
    // How long the machine has been up, suspended or not. Nobody can set it.
    virtual milliseconds uptime() const = 0;
    // Names this start of the machine, within which uptimes can be compared; "" where nobody knows.
    virtual std::string boot() const = 0;
};

class SystemClock final : public Clock {
public:
    SteadyTime now() const override { return std::chrono::steady_clock::now(); }
    WallTime wall() const override { return std::chrono::system_clock::now(); }
    milliseconds uptime() const override;
    std::string boot() const override;
};

// Stands still until told to move. Starts at 2026-01-01T00:00:00Z, an hour after the machine.
class ManualClock final : public Clock {
public:
    SteadyTime now() const override {
        std::lock_guard lock(mutex_);
        return SteadyTime{up()};
    }
    WallTime wall() const override {
        std::lock_guard lock(mutex_);
        return WallTime{std::chrono::seconds{1767225600}} + elapsed_ + set_by_;
    }
    milliseconds uptime() const override {
        std::lock_guard lock(mutex_);
        return std::chrono::floor<milliseconds>(up());
    }
    std::string boot() const override {
        std::lock_guard lock(mutex_);
        return "boot-" + std::to_string(boots_);
    }
    void advance(std::chrono::nanoseconds d) {
        std::lock_guard lock(mutex_);
        elapsed_ += std::chrono::duration_cast<Duration>(d);
    }
    // Sets the wall clock ahead, or back.
    void setWallBy(std::chrono::nanoseconds d) {
        std::lock_guard lock(mutex_);
        set_by_ += std::chrono::duration_cast<Duration>(d);
    }
    void startMachineAnew() {
        std::lock_guard lock(mutex_);
        ++boots_;
        booted_ = elapsed_;
    }

private:
    using Duration = std::chrono::steady_clock::duration;
    Duration up() const { return elapsed_ - booted_; }

    mutable std::mutex mutex_;
    Duration elapsed_{}, set_by_{}, booted_ = -std::chrono::hours{1};
    int boots_ = 1;
};

// "2026-11-21T07:12:22.935Z"
std::string isoTime(WallTime t);
// RFC 9110 IMF-fixdate: "Sat, 21 Nov 2026 07:12:22 GMT"
std::string httpDate(WallTime t);
// Reads an IMF-fixdate or RFC 3339 ("2026-11-21T08:12:22.935+01:00"). None for anything else and for years
// outside 2000 to 2199.
std::optional<WallTime> parseTime(std::string_view text);

}  // namespace stepper
