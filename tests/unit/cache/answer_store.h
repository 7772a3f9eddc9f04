// A store that knows answers and nothing else, for tests of what stands in front of it.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <mutex>

#include "tests/unit/store/unavailable_store.h"

namespace stepper::cache {

class AnswerStore final : public store::UnavailableStore {
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

private:
    std::optional<store::CachedAnswer> lookUp(std::string_view key) {
        std::lock_guard lock(mutex_);
        const auto found = answers_.find(key);
        if (found == answers_.end() || clock_.now() >= found->second.expires) return std::nullopt;
        return found->second;
    }

    const Clock& clock_;
    std::mutex mutex_;
    std::map<std::string, store::CachedAnswer, std::less<>> answers_;
};

// Fresh for a minute, there for two.
inline store::CachedAnswer answerOf(std::string text, const Clock& clock) {
    using namespace std::chrono_literals;
    const SteadyTime now = clock.now();
    return {"job-" + text, "generate", text, "{}", now, now + 1min, now + 2min, {}};
}

}  // namespace stepper::cache
