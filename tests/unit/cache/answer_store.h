// A store that knows answers and nothing else, for tests of what stands in front of it.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <mutex>

#include "core/store/store.h"

namespace stepper::cache {

class AnswerStore final : public store::Store {
public:
    explicit AnswerStore(const Clock& clock) : clock_(clock) {}

    void keep(const std::string& key, store::CachedAnswer answer) {
        std::lock_guard lock(mutex_);
        answers_[key] = std::move(answer);
    }
    // Runs after an answer was read and before it is handed out.
    std::function<void()> after_read;
    std::atomic<bool> failing = false;
    std::atomic<int> reads = 0;

    Result<std::optional<store::CachedAnswer>> cached(std::string_view key) override {
        ++reads;
        if (failing) return unavailable();
        const auto out = lookUp(key);
        if (after_read) after_read();
        return out;
    }
    Result<bool> forget(std::string_view key, std::string_view made_by) override {
        if (failing) return unavailable();
        std::lock_guard lock(mutex_);
        const auto found = answers_.find(key);
        if (found == answers_.end() || (!made_by.empty() && found->second.job_id != made_by)) return false;
        answers_.erase(found);
        return true;
    }

    void setListener(store::Listener*) override {}
    Result<store::Enqueued> enqueue(const store::NewJob&) override { return unavailable(); }
    Result<store::Enqueued> enqueueBatch(const store::NewBatch&) override { return unavailable(); }
    Result<store::Claims> claim(store::Lane, int, milliseconds) override { return unavailable(); }
    Result<std::vector<std::string>> heartbeat(std::span<const store::Beat>, milliseconds) override {
        return unavailable();
    }
    Result<bool> finish(const store::Lease&, const store::Ending&) override { return unavailable(); }
    Result<bool> postpone(const store::Lease&, const store::Postponement&) override { return unavailable(); }
    Result<int> reap() override { return unavailable(); }
    Result<store::Dropped> drop(std::string_view, bool) override { return unavailable(); }
    Result<std::optional<store::Job>> job(std::string_view) override { return unavailable(); }
    Result<std::optional<store::NewJob>> request(std::string_view) override { return unavailable(); }
    Result<std::vector<store::BatchItem>> items(std::string_view) override { return unavailable(); }
    Result<std::vector<store::Job>> list(const store::ListFilter&) override { return unavailable(); }
    Result<store::Stats> stats() override { return unavailable(); }
    Result<bool> sweep(milliseconds) override { return unavailable(); }
    store::Health health() const override { return {}; }

private:
    static Error unavailable() { return {ErrorClass::Internal, "the store is not available"}; }

    std::optional<store::CachedAnswer> lookUp(std::string_view key) {
        std::lock_guard lock(mutex_);
        const auto found = answers_.find(key);
        if (found == answers_.end() || clock_.wall() >= found->second.expires) return std::nullopt;
        return found->second;
    }

    const Clock& clock_;
    std::mutex mutex_;
    std::map<std::string, store::CachedAnswer, std::less<>> answers_;
};

// Fresh for a minute, there for two.
inline store::CachedAnswer answerOf(std::string text, const Clock& clock) {
    using namespace std::chrono_literals;
    const WallTime now = clock.wall();
    return {"job-" + text, "generate", text, "{}", now, now + 1min, now + 2min, {}};
}

}  // namespace stepper::cache
