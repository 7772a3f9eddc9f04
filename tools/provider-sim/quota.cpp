#include "tools/provider-sim/quota.h"

namespace stepper::sim {

SteadyTime Quota::expiry(const Spent& spent) const {
    if (rule_.window == Window::Sliding) return spent.at + rule_.per;
    const auto windows = (spent.at - *origin_) / rule_.per;
    return *origin_ + (windows + 1) * rule_.per;
}

void Quota::expire(SteadyTime now) {
    while (!spent_.empty() && expiry(spent_.front()) <= now) {
        requests_ -= spent_.front().requests;
        tokens_ -= spent_.front().tokens;
        spent_.pop_front();
    }
}

std::optional<SteadyTime::duration> Quota::admit(SteadyTime now, uint64_t tokens) {
    if (!origin_) origin_ = now;
    expire(now);
    uint64_t requests_left = requests_, tokens_left = tokens_;
    const auto fits = [&] {
        return (rule_.requests == 0 || requests_left + 1 <= rule_.requests) &&
               (rule_.tokens == 0 || tokens_left + tokens <= rule_.tokens);
    };
    if (fits()) {
        spent_.push_back({now, 1, tokens});
        ++requests_;
        tokens_ += tokens;
        return std::nullopt;
    }
    for (const auto& spent : spent_) {
        requests_left -= spent.requests;
        tokens_left -= spent.tokens;
        if (fits()) return expiry(spent) - now;
    }
    return rule_.per;
}

void Quota::charge(SteadyTime now, uint64_t tokens) {
    if (!origin_) origin_ = now;
    spent_.push_back({now, 0, tokens});
    tokens_ += tokens;
}

Allowances Quota::left(SteadyTime now) {
    expire(now);
    const auto reset =
        spent_.empty() ? milliseconds{0} : std::chrono::ceil<milliseconds>(expiry(spent_.back()) - now);
    const auto allowance = [&](uint64_t limit, uint64_t used) -> std::optional<Allowance> {
        if (limit == 0) return std::nullopt;
        return Allowance{limit, used < limit ? limit - used : 0, reset};
    };
    return {allowance(rule_.requests, requests_), allowance(rule_.tokens, tokens_)};
}

}  // namespace stepper::sim
