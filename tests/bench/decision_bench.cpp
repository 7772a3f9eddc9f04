// What it costs to find out which provider goes now, with twenty of them, and who goes now, with a crowd that
// waits. Prints medians in nanoseconds beside a baseline of the same run: taking and releasing as many
// mutexes.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <vector>

#include "core/engine/waiting_line.h"

namespace stepper::engine {
namespace {

using std::chrono::steady_clock;

constexpr int kProviders = 20, kRounds = 31, kPerRound = 2'000;
constexpr int kWaiting = 500, kAskedFirst = 3, kServesPerRound = 20;

limits::GateOptions usual() {
    limits::GateOptions out;
    out.concurrency = 64;
    out.limits.rps = 1'000'000;
    out.limits.rpm = 1'000'000'000;
    out.limits.rpd = 1'000'000'000;
    out.limits.tpm = 1'000'000'000'000;
    return out;
}

template <class F>
double medianNs(F&& once, int per_round = kPerRound) {
    std::vector<double> rounds;
    for (int r = 0; r < kRounds; ++r) {
        const auto began = steady_clock::now();
        for (int i = 0; i < per_round; ++i) once();
        const std::chrono::duration<double, std::nano> took = steady_clock::now() - began;
        rounds.push_back(took.count() / per_round);
    }
    std::nth_element(rounds.begin(), rounds.begin() + kRounds / 2, rounds.end());
    return rounds[kRounds / 2];
}

struct Field {
    explicit Field(const Clock& clock) {
        for (int i = 0; i < kProviders; ++i) {
            gates.push_back(std::make_unique<limits::Gate>(clock, usual(), [] { return 0.5; }));
            candidates.push_back({gates.back().get(), true, {}, {}});
        }
    }
    // As a 429 leaves it.
    void close(int i) {
        auto entry = gates[static_cast<size_t>(i)]->tryEnter({});
        gates[static_cast<size_t>(i)]->leave(
            *entry.pass, {limits::Report::Kind::RateLimited, milliseconds{3'600'000}, {}, {}});
    }
    void chooseOnce() {
        auto choice = choose(candidates, {2'000, {}}, steady_clock::now(), nullptr);
        if (choice.index) gates[*choice.index]->leave(choice.pass, {});
    }

    std::vector<std::unique_ptr<limits::Gate>> gates;
    std::vector<Candidate> candidates;
};

// Requests of all sizes that wait for three providers, whose slots are taken, or whose tokens are used up.
double crowdNs(const Clock& clock, bool tokens_used_up) {
    std::vector<std::unique_ptr<limits::Gate>> gates;
    std::vector<Candidate> candidates;
    for (int i = 0; i < kAskedFirst; ++i) {
        limits::GateOptions options = usual();
        options.concurrency = tokens_used_up ? 64 : 1;
        options.limits.tpm = 100'000;
        candidates.push_back(
            {gates.emplace_back(std::make_unique<limits::Gate>(clock, options, [] { return 0.5; })).get()});
        while (gates.back()->tryEnter({40'000, {}}).pass) {
        }
    }
    WaitingLine line;
    std::vector<WaitingLine::Waiter> waiters;
    waiters.reserve(kWaiting);
    for (int i = 0; i < kWaiting; ++i)
        line.join(waiters.emplace_back(WaitingLine::Waiter{
            candidates, {static_cast<uint64_t>(40'000 + 7 * i), {}}, i % 2 ? "a" : "b", SteadyTime::max()}));
    return medianNs([&] { line.serve(clock.now()); }, kServesPerRound);
}

int run() {
    const SystemClock clock;
    Field field(clock);
    std::vector<std::mutex> mutexes(kProviders);
    const double baseline = medianNs([&] {
        for (auto& mutex : mutexes) std::lock_guard lock(mutex);
    });
    const double first = medianNs([&] { field.chooseOnce(); });
    for (int i = 0; i < kProviders - 1; ++i) field.close(i);
    const double last = medianNs([&] { field.chooseOnce(); });
    field.close(kProviders - 1);
    const double none = medianNs([&] { field.chooseOnce(); });
    const double busy = crowdNs(clock, false), used_up = crowdNs(clock, true);
    std::printf(
        "which provider now, of %d (ns, medians): the first %.0f, the last %.0f, none %.0f; %d mutexes "
        "%.0f\n",
        kProviders, first, last, none, kProviders, baseline);
    std::printf("who goes, of %d that wait for %d (ns, medians): slots taken %.0f, tokens used up %.0f\n",
                kWaiting, kAskedFirst, busy, used_up);
    return std::max({first, last, none}) <= 5'000 && std::max(busy, used_up) <= 2'000'000 ? 0 : 1;
}

}  // namespace
}  // namespace stepper::engine

int main() { return stepper::engine::run(); }
