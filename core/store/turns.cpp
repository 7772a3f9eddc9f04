#include "core/store/turns.h"

#include <algorithm>
#include <limits>

namespace stepper::store {

namespace {

constexpr size_t kBytesPerRound = 8 * 1024, kMostCost = 16;

}  // namespace

int costOf(size_t request_bytes) {
    return static_cast<int>(std::min(1 + request_bytes / kBytesPerRound, kMostCost));
}

void Turns::Rounds::serve(const std::string& tenant, int64_t round) {
    served = tenant;
    if (round == present) return;
    present = round;
    std::erase_if(back, [&](const auto& out) { return out.second <= present; });
}

std::optional<Turns::Waiting> Turns::next(int priority, const Look& look) {
    // Nobody waits at a better one.
    rounds_.erase(rounds_.begin(), rounds_.lower_bound(priority));
    Rounds& rounds = rounds_[priority];

    for (auto head = look(rounds.served); head; head = look(head->tenant)) {
        if (rounds.back.contains(head->tenant)) continue;
        rounds.serve(head->tenant, rounds.present);
        return head;
    }
    // The next round, or when all sit that out, the first in which one of them is back.
    const int64_t next_round = rounds.present + 1;
    std::optional<Waiting> chosen;
    int64_t round = std::numeric_limits<int64_t>::max();
    for (auto head = look({}); head; head = look(head->tenant)) {
        const auto out = rounds.back.find(head->tenant);
        const int64_t back = out == rounds.back.end() ? next_round : out->second;
        if (back >= round) continue;
        round = back;
        chosen = head;
        if (round == next_round) break;
    }
    if (chosen) rounds.serve(chosen->tenant, round);
    return chosen;
}

void Turns::charge(int cost) {
    if (rounds_.empty() || cost <= 1) return;
    Rounds& rounds = rounds_.begin()->second;
    if (rounds.served) rounds.back[*rounds.served] = rounds.present + cost;
}

}  // namespace stepper::store
