#include "core/cache/refresh_notes.h"

namespace stepper::cache {
namespace {

constexpr milliseconds kKeptFor{10'000};
constexpr size_t kMostNotes = 4096;

}  // namespace

bool RefreshNotes::first(const std::string& key) {
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.now();
    for (; !order_.empty() && now - order_.front().at >= kKeptFor; order_.pop_front()) {
        const auto noted = noted_.find(order_.front().key);
        // A note that was forgotten and taken anew is younger.
        if (noted != noted_.end() && noted->second == order_.front().at) noted_.erase(noted);
    }
    if (order_.size() >= kMostNotes || !noted_.emplace(key, now).second) return false;
    order_.push_back({now, key});
    return true;
}

void RefreshNotes::forget(const std::string& key) {
    std::lock_guard lock(mutex_);
    noted_.erase(key);
}

}  // namespace stepper::cache
