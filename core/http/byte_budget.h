// How many bytes of bodies are in memory at a time: of requests as they come, of answers until their clients
// have taken them. Safe from any thread.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>

namespace stepper::http {

class ByteBudget {
public:
    // Of every body, so that small requests are served however large the others are.
    static constexpr uint64_t kFree = 16u << 10;

    explicit ByteBudget(uint64_t most) : most_(most) {}
    ByteBudget(const ByteBudget&) = delete;
    ByteBudget& operator=(const ByteBudget&) = delete;

    uint64_t used() const { return used_; }

    // What one body takes of it, given back with this object. Used by one thread at a time.
    class Share {
    public:
        explicit Share(ByteBudget& budget) : budget_(budget) {}
        ~Share() { budget_.used_ -= counted(size_); }
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;

        // False, and nothing changes, when there is no room for that many more.
        bool grow(uint64_t bytes) {
            const uint64_t more = counted(size_ + bytes) - counted(size_);
            if (more > 0 && !budget_.add(more)) return false;
            size_ += bytes;
            return true;
        }
        // Whether there is room or not: for what must not be thrown away.
        void take(uint64_t bytes) {
            budget_.used_ += counted(size_ + bytes) - counted(size_);
            size_ += bytes;
        }

    private:
        static uint64_t counted(uint64_t size) { return size - std::min(size, kFree); }

        ByteBudget& budget_;
        uint64_t size_ = 0;
    };

private:
    // In one step: what does not fit is never seen by others as used.
    bool add(uint64_t more) {
        uint64_t used = used_;
        do {
            if (used > most_ || more > most_ - used) return false;
        } while (!used_.compare_exchange_weak(used, used + more));
        return true;
    }

    const uint64_t most_;
    std::atomic<uint64_t> used_{0};
};

}  // namespace stepper::http
