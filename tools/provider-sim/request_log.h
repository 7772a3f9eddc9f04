// The most recent requests, bounded in number and in bytes. Any thread.
#pragma once
#include <deque>
#include <mutex>

#include "tools/provider-sim/formats/format.h"

namespace stepper::sim {

struct LogEntry {
    SteadyTime began = {};
    WallTime wall = {};
    std::string instance = {}, method = {}, path = {}, format = {}, model = {}, step = {};
    bool authorized = false;  // a credential was presented
    std::string key_sha256 = {};
    uint64_t concurrency = 0;  // of the instance, this request included
    std::string body = {};     // its first kBodyBytes
    bool done = false;         // the members below are set
    int status = 0;            // 0 when none was sent
    uint64_t prompt_tokens = 0, completion_tokens = 0;
    std::optional<SteadyTime> client_gone = {}, ended = {};
};

class RequestLog {
public:
    static constexpr size_t kBodyBytes = 16 << 10, kEntries = 20'000, kBytes = 32 << 20;

    // The id to finish the entry by. The entry shows at once, so a hanging request is visible.
    uint64_t begin(LogEntry entry);
    // `change` sets what the end of the request has shown; nothing happens if the entry was dropped
    // meanwhile.
    template <class Change>
    void finish(uint64_t id, Change change) {
        std::lock_guard lock(mutex_);
        if (id >= first_ && id - first_ < entries_.size()) change(entries_[id - first_]);
    }

    // A JSON array, oldest first, of the last `limit` entries of that instance, of all when it is "".
    std::string json(std::string_view instance, size_t limit) const;
    void clear();

private:
    mutable std::mutex mutex_;
    std::deque<LogEntry> entries_;
    uint64_t first_ = 1;  // id of the front
    size_t bytes_ = 0;    // of the bodies
};

}  // namespace stepper::sim
