// A map in memory that stays below a number of bytes and forgets the less wanted entries first (sieve.h).
// Split by key, so that threads seldom meet. Safe from any thread; every call is short and holds one shard's
// lock.
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/cache/sieve.h"

namespace stepper::cache {

template <class T>
class MemoryTier {
public:
    // A capacity of 0 keeps nothing. No entry is kept that needs more than `max_entry_bytes` or more than a
    // shard's part of the capacity.
    MemoryTier(uint64_t capacity_bytes, uint64_t max_entry_bytes) : max_entry_bytes_(max_entry_bytes) {
        for (size_t i = 0; i < kShards; ++i) shards_.emplace_back(capacity_bytes / kShards);
    }

    // Null when there is none.
    std::shared_ptr<const T> get(std::string_view key) {
        Shard& shard = shardOf(key);
        std::lock_guard lock(shard.mutex);
        const auto* found = shard.entries.get(key);
        return found ? *found : nullptr;
    }

    // Taken before a value is read from where it comes from, and given to put().
    uint64_t version(std::string_view key) {
        Shard& shard = shardOf(key);
        std::lock_guard lock(shard.mutex);
        return shard.version;
    }
    // `bytes` is what the value occupies; the tier adds the key and its own share. Replaces what is there.
    // Nothing is kept when erase() came in between: the value may be the one that was to go.
    void put(std::string_view key, std::shared_ptr<const T> value, uint64_t bytes, uint64_t version) {
        Shard& shard = shardOf(key);
        std::lock_guard lock(shard.mutex);
        if (shard.version != version) return;
        if (bytes > max_entry_bytes_)
            shard.entries.erase(key);
        else
            shard.entries.put(std::string(key), std::move(value), bytes + key.size() + kBookkeeping);
    }
    void erase(std::string_view key) {
        Shard& shard = shardOf(key);
        std::lock_guard lock(shard.mutex);
        ++shard.version;
        shard.entries.erase(key);
    }

    struct Fill {
        size_t entries = 0;
        uint64_t bytes = 0;
    };
    Fill fill() {
        Fill out;
        for (Shard& shard : shards_) {
            std::lock_guard lock(shard.mutex);
            out.entries += shard.entries.size();
            out.bytes += shard.entries.bytes();
        }
        return out;
    }

private:
    static constexpr size_t kShards = 16;
    // Nodes of the list and the index, a bucket, a control block, what malloc adds.
    static constexpr uint64_t kBookkeeping = 192;

    struct Shard {
        explicit Shard(uint64_t capacity_bytes) : entries(capacity_bytes) {}
        std::mutex mutex;
        uint64_t version = 0;  // of all its keys: grows with every erase()
        Sieve<std::shared_ptr<const T>> entries;
    };

    Shard& shardOf(std::string_view key) { return shards_[std::hash<std::string_view>{}(key) % kShards]; }

    const uint64_t max_entry_bytes_;
    std::deque<Shard> shards_;  // shards cannot move, and a deque does not ask them to
};

}  // namespace stepper::cache
