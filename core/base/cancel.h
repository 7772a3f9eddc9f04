// Cancellation: a source is cancelled once and wakes whoever waits at that moment. Neither a source nor a
// wait takes a descriptor, and nobody who waits looks now and then.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string_view>

#include "core/base/bell.h"
#include "core/base/clock.h"
#include "core/base/descriptor.h"
#include "core/base/hang_ups.h"

namespace stepper {

enum class CancelReason { None, ClientGone, Requested, Draining };
std::string_view name(CancelReason r);

// Something that can be cancelled once: a job, or the whole process. Safe from any thread; outlives its
// listeners.
class CancelSource {
public:
    explicit CancelSource(CancelReason reason) : reason_(reason) {}
    CancelSource(const CancelSource&) = delete;
    CancelSource& operator=(const CancelSource&) = delete;

    // When it returns, all who listen were woken.
    void cancel() noexcept;
    bool isCancelled() const { return cancelled_; }
    CancelReason reason() const { return reason_; }

    // From construction to destruction its sleeper is woken when the source is cancelled; not when it was
    // before. Destruction waits for a cancel() under way.
    class Listener {
    public:
        Listener(CancelSource& source, Sleeper& sleeper) noexcept;
        ~Listener();
        Listener(const Listener&) = delete;
        Listener& operator=(const Listener&) = delete;

    private:
        friend class CancelSource;
        CancelSource& source_;
        Sleeper& sleeper_;
        Listener *before_ = nullptr, *after_ = nullptr;
    };

private:
    const CancelReason reason_;
    std::atomic<bool> cancelled_{false};
    std::mutex mutex_;
    Listener* first_ = nullptr;
};

// A source as a descriptor that becomes readable, for who polls it beside others of his own: one for the
// whole process, made at its start.
class CancelDescriptor final : private Sleeper {
public:
    // Throws std::system_error when no descriptor is to be had. Borrows the source.
    explicit CancelDescriptor(CancelSource& source);
    int fd() const { return fd_.get(); }

private:
    void wake() noexcept override;

    const Descriptor fd_;
    const CancelSource::Listener listener_;
};

// What one request listens to: up to two sources and the client's socket. Cheap to copy; borrows all of them,
// which must outlive it. Used by one thread at a time.
class CancelToken {
public:
    CancelToken() = default;
    void watch(CancelSource& source);
    // Hang-up of this connected socket counts as ClientGone; bytes that arrive (a pipelined request) do not.
    void watchClient(int socket, HangUps& hang_ups);

    // Why the work should stop, None while it should not. Does not block.
    CancelReason check();
    // Sleeps until then or until cancelled; returns the reason.
    CancelReason sleepUntil(SteadyTime until);

    // While it lives the sleeper is woken whenever check() may have something new to say. Begin it, check,
    // then sleep no longer than lookBy() says, and so on: nothing in between is missed. Borrows both.
    class Alert {
    public:
        Alert(CancelToken& token, Sleeper& sleeper) noexcept;
        // When to check without having been woken: `until`, or sooner. A brief wait is not worth the system
        // calls of watching the client, so that begins with the first look; and where the system has no means
        // to tell, one look follows another.
        SteadyTime lookBy(SteadyTime until) noexcept;

    private:
        const CancelToken& token_;
        Sleeper& sleeper_;
        std::array<std::optional<CancelSource::Listener>, 2> sources_;
        SteadyTime watch_from_ = SteadyTime::max();
        std::optional<HangUps::Watch> client_;
    };

private:
    std::array<CancelSource*, 2> sources_{};
    int client_ = -1;
    HangUps* hang_ups_ = nullptr;
    CancelReason seen_ = CancelReason::None;
};

}  // namespace stepper
