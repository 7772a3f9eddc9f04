// Answers that are there already: the store's, with those read lately kept in memory.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/cache/memory_tier.h"
#include "core/cache/refresh_notes.h"
#include "core/store/store.h"

namespace stepper::cache {

struct Options {
    bool serve_stale = true;
    uint64_t memory_bytes = 64 << 20;    // 0: nothing is kept in memory
    uint64_t max_entry_bytes = 1 << 20;  // larger answers are read from the store every time
    milliseconds max_memory_age{5'000};  // since the store was read, for changes the listener was not told of
};

struct Hit {
    std::shared_ptr<const store::CachedAnswer> answer;
    bool stale;
    milliseconds age;  // since it was made
};

// Safe from any thread. The store and the clock must outlive it.
class AnswerCache {
public:
    AnswerCache(store::Store& store, const Clock& clock, const Options& options);

    // The unexpired answer, if there is one; a stale one only when those are served. `once`: the answer will
    // not be read again soon, so it comes from the store and is not kept in memory. Errors are the store's.
    Result<std::optional<Hit>> find(const std::string& key, bool once);

    // The answer under the key changed; for the store's listener.
    void invalidate(const std::string& key);
    // Takes the answer out of the store and out of memory; as store::Store::forget.
    Result<bool> forget(const std::string& key, std::string_view made_by);

    // Whether to ask the store for a refresh after this hit: only a stale one, not while the last refresh's
    // failure is too recent, and once per key and 10 s unless the answer changes.
    bool mayRefresh(const std::string& key, const Hit& hit);

private:
    struct Remembered {
        store::CachedAnswer answer;
        SteadyTime read_at;
    };

    // Null when there is none that is young enough and unexpired.
    std::shared_ptr<const store::CachedAnswer> recall(const std::string& key);
    Result<std::shared_ptr<const store::CachedAnswer>> read(const std::string& key, bool once);

    store::Store& store_;
    const Clock& clock_;
    const Options options_;
    MemoryTier<Remembered> memory_;
    RefreshNotes notes_;
};

}  // namespace stepper::cache
