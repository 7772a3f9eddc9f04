// What it costs to find out which provider goes now, with twenty of them. Prints medians in nanoseconds
// beside a baseline of the same run: taking and releasing as many mutexes.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <vector>

#include "core/engine/dispatcher.h"

namespace stepper::engine {
namespace {

using std::chrono::steady_clock;

constexpr int kProviders = 20, kRounds = 31, kPerRound = 2'000;

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
double medianNs(F&& once) {
    std::vector<double> rounds;
    for (int r = 0; r < kRounds; ++r) {
        const auto began = steady_clock::now();
        for (int i = 0; i < kPerRound; ++i) once();
        const std::chrono::duration<double, std::nano> took = steady_clock::now() - began;
        rounds.push_back(took.count() / kPerRound);
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
    std::printf(
        "which provider now, of %d (ns, medians): the first %.0f, the last %.0f, none %.0f; %d mutexes "
        "%.0f\n",
        kProviders, first, last, none, kProviders, baseline);
    return std::max({first, last, none}) <= 5'000 ? 0 : 1;
}

}  // namespace
}  // namespace stepper::engine

int main() { return stepper::engine::run(); }
