// A map that can forget: when it must shrink, SIEVE (Zhang et al., NSDI 2024) picks what goes. Entries queue
// in the order they came, a hit only marks its entry, and a hand that walks from the oldest to the newest
// takes the first unmarked one, removing marks as it passes. One-off keys leave early and popular ones stay,
// without any reordering on hits. Not thread-safe.
#pragma once
#include <cstdint>
#include <iterator>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace stepper::cache {

template <class T>
class Sieve {
public:
    explicit Sieve(uint64_t capacity_bytes) : capacity_(capacity_bytes) {}
    Sieve(const Sieve&) = delete;
    Sieve& operator=(const Sieve&) = delete;

    // Null when there is none; valid until the next call that is not const.
    const T* get(std::string_view key) {
        const auto found = index_.find(key);
        if (found == index_.end()) return nullptr;
        found->second->visited = true;
        return &found->second->value;
    }
    // Replaces what is there. Nothing is kept when `bytes`, the entry's share of the capacity, is above it.
    void put(std::string key, T value, uint64_t bytes) {
        // Somebody wanted the new value of a known key, which is as good as a hit.
        const bool visited = erase(key);
        if (bytes > capacity_) return;
        while (bytes_ + bytes > capacity_) evict();
        queue_.push_front({std::move(key), std::move(value), bytes, visited});
        index_.emplace(queue_.front().key, queue_.begin());
        bytes_ += bytes;
    }
    // Whether it was there.
    bool erase(std::string_view key) {
        const auto found = index_.find(key);
        if (found == index_.end()) return false;
        remove(found->second);
        return true;
    }

    size_t size() const { return queue_.size(); }
    uint64_t bytes() const { return bytes_; }

private:
    struct Entry {
        std::string key;
        T value;
        uint64_t bytes;
        bool visited;
    };
    using Queue = std::list<Entry>;
    using Place = typename Queue::iterator;

    void evict() {
        if (hand_ == queue_.end()) --hand_;
        for (; hand_->visited; hand_ = hand_ == queue_.begin() ? std::prev(queue_.end()) : std::prev(hand_))
            hand_->visited = false;
        remove(hand_);
    }
    void remove(Place place) {
        if (hand_ == place) hand_ = place == queue_.begin() ? queue_.end() : std::prev(place);
        bytes_ -= place->bytes;
        index_.erase(place->key);
        queue_.erase(place);
    }

    const uint64_t capacity_;
    uint64_t bytes_ = 0;
    Queue queue_;                              // newest first
    std::map<std::string_view, Place> index_;  // its keys belong to the queue
    Place hand_ = queue_.end();                // the end: starts over at the oldest
};

}  // namespace stepper::cache
