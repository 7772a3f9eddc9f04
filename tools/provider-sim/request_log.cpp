#include "tools/provider-sim/request_log.h"

#include <algorithm>

#include "core/base/text.h"
#include "tools/provider-sim/json_text.h"

namespace stepper::sim {
namespace {

int64_t millisecondsOf(SteadyTime t) {
    return std::chrono::floor<milliseconds>(t.time_since_epoch()).count();
}

J when(const std::optional<SteadyTime>& t) { return t ? J(millisecondsOf(*t)) : J(nullptr); }

J describe(uint64_t id, const LogEntry& e) {
    return obj({{"id", id},
                {"time_ms", millisecondsOf(e.began)},
                {"wall", isoTime(e.wall)},
                {"instance", e.instance},
                {"method", e.method},
                {"path", e.path},
                {"format", e.format},
                {"model", e.model},
                {"step", e.step},
                {"done", e.done},
                {"status", e.status},
                {"auth", e.authorized},
                {"key_sha256", e.key_sha256.empty() ? J(nullptr) : J(e.key_sha256)},
                {"concurrency", e.concurrency},
                {"prompt_tokens", e.prompt_tokens},
                {"completion_tokens", e.completion_tokens},
                {"client_gone_ms", when(e.client_gone)},
                {"ended_ms", when(e.ended)},
                {"body", toValidUtf8(e.body)}});
}

}  // namespace

uint64_t RequestLog::begin(LogEntry entry) {
    entry.body.resize(std::min(entry.body.size(), kBodyBytes));
    entry.body.shrink_to_fit();
    std::lock_guard lock(mutex_);
    bytes_ += entry.body.size();
    entries_.push_back(std::move(entry));
    while (entries_.size() > kEntries || bytes_ > kBytes) {
        bytes_ -= entries_.front().body.size();
        entries_.pop_front();
        ++first_;
    }
    return first_ + entries_.size() - 1;
}

std::string RequestLog::json(std::string_view instance, size_t limit) const {
    std::lock_guard lock(mutex_);
    std::vector<J> newest;
    for (size_t i = entries_.size(); i-- > 0 && newest.size() < limit;)
        if (instance.empty() || entries_[i].instance == instance)
            newest.push_back(describe(first_ + i, entries_[i]));
    std::reverse(newest.begin(), newest.end());
    return arr(newest).str();
}

void RequestLog::clear() {
    std::lock_guard lock(mutex_);
    first_ += entries_.size();
    entries_.clear();
    bytes_ = 0;
}

}  // namespace stepper::sim
