#include "core/cache/answer_cache.h"

#include <algorithm>

namespace stepper::cache {
namespace {

using Answer = std::shared_ptr<const store::CachedAnswer>;

uint64_t bytesOf(const store::CachedAnswer& a) {
    return sizeof a + a.job_id.size() + a.kind.size() + a.result.size() + a.meta.size();
}

std::optional<Hit> judge(Answer answer, SteadyTime now, bool serve_stale) {
    if (!answer || now >= answer->expires) return std::nullopt;
    const bool stale = now > answer->fresh_until;
    if (stale && !serve_stale) return std::nullopt;
    const auto age = std::chrono::duration_cast<milliseconds>(now - answer->made_at);
    return Hit{std::move(answer), stale, age};
}

}  // namespace

AnswerCache::AnswerCache(store::Store& store, const Clock& clock, const Options& options)
    : store_(store),
      clock_(clock),
      options_(options),
      memory_(options.memory_bytes, options.max_entry_bytes),
      notes_(clock) {}

Result<std::optional<Hit>> AnswerCache::find(const std::string& key, bool once) {
    Answer answer = once ? nullptr : recall(key);
    if (!answer) {
        auto stored = read(key, once);
        if (!stored) return std::move(stored).error();
        answer = std::move(*stored);
    }
    return judge(std::move(answer), clock_.now(), options_.serve_stale);
}

Answer AnswerCache::recall(const std::string& key) {
    const auto kept = memory_.get(key);
    if (!kept || clock_.now() - kept->read_at > options_.max_memory_age) return nullptr;
    if (clock_.now() >= kept->answer.expires) return nullptr;
    return {kept, &kept->answer};
}

Result<Answer> AnswerCache::read(const std::string& key, bool once) {
    const uint64_t version = memory_.version(key);
    const SteadyTime read_at = clock_.now();
    auto stored = store_.cached(key);
    if (!stored) return std::move(stored).error();
    if (!*stored) return Answer{};
    const auto kept = std::make_shared<const Remembered>(Remembered{std::move(**stored), read_at});
    if (!once) memory_.put(key, kept, bytesOf(kept->answer), version);
    return Answer{kept, &kept->answer};
}

void AnswerCache::invalidate(const std::string& key) {
    memory_.erase(key);
    notes_.forget(key);
}

Result<bool> AnswerCache::forget(const std::string& key, std::string_view made_by) {
    auto out = store_.forget(key, made_by);
    // Whatever came of it: what is in memory can be read again.
    invalidate(key);
    return out;
}

bool AnswerCache::mayRefresh(const std::string& key, const Hit& hit) {
    return hit.stale && clock_.now() >= hit.answer->refresh_after && notes_.first(key);
}

}  // namespace stepper::cache
