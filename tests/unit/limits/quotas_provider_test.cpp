// Quotas against providers that count for themselves, in windows of every kind, also across restarts.
#include <functional>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "core/limits/quotas.h"
#include "tests/unit/limits/quotas_fixture.h"

namespace stepper::limits {
namespace {

// What a provider saw, by its own moments. It never refuses; it is asked afterwards for its fullest windows.
class Provider {
public:
    void see(SteadyTime at, int64_t units) { log_.emplace(at, units); }

    // In any stretch of the length, without its end.
    int64_t fullestSliding(milliseconds length) const {
        int64_t fullest = 0, sum = 0;
        auto oldest = log_.begin();
        for (const auto& [at, units] : log_) {
            for (sum += units; at - oldest->first >= length; ++oldest) sum -= oldest->second;
            fullest = std::max(fullest, sum);
        }
        return fullest;
    }
    // A window begins with the first request after the last one's end.
    int64_t fullestFixed(milliseconds length) const {
        int64_t fullest = 0, sum = 0;
        SteadyTime begin = SteadyTime::min();
        for (const auto& [at, units] : log_) {
            if (begin == SteadyTime::min() || at - begin >= length) {
                begin = at;
                sum = 0;
            }
            fullest = std::max(fullest, sum += units);
        }
        return fullest;
    }
    // Windows begin at multiples of the length, off by `phase`.
    int64_t fullestAligned(milliseconds length, milliseconds phase) const {
        std::map<int64_t, int64_t> windows;
        int64_t fullest = 0;
        for (const auto& [at, units] : log_)
            fullest = std::max(fullest, windows[(at.time_since_epoch() + phase) / length] += units);
        return fullest;
    }
    size_t seen() const { return log_.size(); }

    void expectAtMost(int64_t limit, milliseconds length) const {
        EXPECT_LE(fullestSliding(length), limit);
        EXPECT_LE(fullestFixed(length), limit);
        for (int eighth = 0; eighth < 8; ++eighth)
            EXPECT_LE(fullestAligned(length, length * eighth / 8), limit);
    }

private:
    std::multimap<SteadyTime, int64_t> log_;
};

// Things that happen at moments of a ManualClock, in order.
class Schedule {
public:
    explicit Schedule(ManualClock& clock) : clock_(clock) {}
    void at(SteadyTime then, std::function<void()> what) { events_.emplace(then, std::move(what)); }
    void in(std::chrono::nanoseconds d, std::function<void()> what) { at(clock_.now() + d, std::move(what)); }
    void run() {
        while (!events_.empty()) {
            auto next = events_.extract(events_.begin());
            if (next.key() > clock_.now()) clock_.advance(next.key() - clock_.now());
            next.mapped()();
        }
    }

private:
    ManualClock& clock_;
    std::multimap<SteadyTime, std::function<void()>> events_;
};

constexpr milliseconds kMargin = 40ms;

// Random requests that take random ways and times, each sent as soon as the quotas let it.
class Traffic {
public:
    Traffic(unsigned seed, Quotas& quotas, ManualClock& clock, Provider& requests, Provider& tokens)
        : random_(seed),
          quotas_(quotas),
          clock_(clock),
          schedule_(clock),
          requests_(requests),
          tokens_(tokens) {}

    void arrive(std::chrono::nanoseconds in) {
        const Cost cost{upTo(120), upTo(200)};
        schedule_.in(in, [this, cost] { tryToSend(cost); });
    }
    void run() { schedule_.run(); }
    int64_t upTo(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n + 1)); }
    std::chrono::nanoseconds spell(milliseconds most) {
        return std::chrono::nanoseconds(upTo(std::chrono::nanoseconds(most).count()));
    }

private:
    void tryToSend(const Cost& cost) {
        const SteadyTime ready = quotas_.readyAt(cost);
        if (ready > clock_.now()) {
            schedule_.at(ready, [this, cost] { tryToSend(cost); });
            return;
        }
        const Permit permit = quotas_.reserve(cost);
        if (upTo(9) == 0)
            schedule_.in(spell(300ms), [this, permit] { quotas_.cancel(permit); });
        else if (upTo(1) == 0)
            send(permit);
        else
            schedule_.in(spell(500ms), [this, permit] { send(permit); });
    }
    void send(Permit permit) {
        quotas_.sent(permit);
        const int64_t in = upTo(permit.cost.tokens_in), out = upTo(permit.cost.tokens_out);
        const SteadyTime seen = clock_.now() + spell(kMargin);
        requests_.see(seen, 1);
        tokens_.see(seen, in);
        schedule_.in(spell(5s), [this, permit, in, out] {
            tokens_.see(clock_.now() - spell(100ms) + spell(kMargin), out);
            quotas_.settle(permit, {true, in, out});
        });
    }

    std::mt19937_64 random_;
    Quotas& quotas_;
    ManualClock& clock_;
    Schedule schedule_;
    Provider &requests_, &tokens_;
};

TEST(QuotasAndProviders, NoProviderEverSeesMoreThanItAllows) {
    for (unsigned seed = 0; seed < 20; ++seed) {
        SCOPED_TRACE(seed);
        config::Limits limits;
        limits.rps = 3;
        limits.windows = {{.requests = 10, .tokens = {}, .per = 5s},
                          {.requests = {}, .tokens = 2000, .per = 7s}};
        limits.skew = kMargin;
        ManualClock clock;
        Quotas quotas(limits, clock);
        Provider requests, tokens;
        Traffic traffic(seed, quotas, clock, requests, tokens);
        // Bursts, trickles and silence.
        std::chrono::nanoseconds when{0};
        for (int i = 0; i < 1000; ++i) {
            when += traffic.upTo(3) > 0 ? 0ns : traffic.spell(traffic.upTo(9) > 0 ? 3s : 15s);
            traffic.arrive(when);
        }
        traffic.run();
        requests.expectAtMost(3, 1s);
        requests.expectAtMost(10, 5s);
        tokens.expectAtMost(2000, 7s);
        EXPECT_EQ(requests.fullestSliding(1s), 3) << "nothing was tried";
        EXPECT_EQ(requests.fullestSliding(5s), 10);
        EXPECT_GT(requests.seen(), 800u);
        for (const QuotaState& s : quotas.state()) EXPECT_LE(s.used, s.limit) << s.name;
        clock.advance(10s);
        for (const QuotaState& s : quotas.state()) EXPECT_EQ(s.used, 0) << s.name << " leaked";
    }
}

class UtilisationTest : public QuotasTest {
protected:
    // When the last of `jobs` was sent, each going to the provider that is ready first.
    milliseconds finish(std::vector<config::Limits> providers, int jobs, const Cost& cost,
                        milliseconds latency) {
        std::vector<Quotas> all;
        for (const config::Limits& limits : providers) all.emplace_back(limits, clock_);
        const SteadyTime start = clock_.now();
        std::vector<std::pair<size_t, Permit>> out;
        while (jobs > 0) {
            size_t first = 0;
            for (size_t i = 1; i < all.size(); ++i)
                if (all[i].readyAt(cost) < all[first].readyAt(cost)) first = i;
            const auto wait = all[first].readyAt(cost) - clock_.now();
            if (wait == 0ns) {
                out.emplace_back(first, send(all[first], cost));
                --jobs;
                continue;
            }
            if (!out.empty()) clock_.advance(latency);
            for (const auto& [i, permit] : out) all[i].settle(permit, {});
            if (out.empty()) clock_.advance(wait);
            out.clear();
        }
        return std::chrono::ceil<milliseconds>(clock_.now() - start);
    }
};

TEST_F(UtilisationTest, ThreeProvidersWithRequestsPerFiveSeconds) {
    std::vector<config::Limits> providers = {requestsPer(10, 5s), requestsPer(20, 5s), requestsPer(5, 5s)};
    for (config::Limits& limits : providers) limits.skew.reset();
    EXPECT_LE(finish(providers, 210, {}, 300ms), 25s + 300ms);
    EXPECT_GE(finish(providers, 210, {}, 300ms), 25s);
}

TEST_F(UtilisationTest, TokensPerTenSeconds) {
    config::Limits limits = tokensPer(10'000, 10s);
    limits.skew.reset();
    EXPECT_LE(finish({limits}, 1000, {1000, 0}, 300ms), 990s * 100 / 98);
    EXPECT_LE(finish({limits}, 1000, {500, 500}, 1ms), 990s * 100 / 98);
}

TEST_F(UtilisationTest, ADay) {
    config::Limits limits;
    limits.rpm = 10;
    limits.rpd = 250;
    EXPECT_LE(finish({limits}, 250, {}, 300ms), 24min + 14s);
    const auto left = 24h - clock_.wall().time_since_epoch() % 24h;
    EXPECT_EQ(finish({limits}, 251, {}, 300ms), left + 2s) << "and not before midnight and its margin";
}

}  // namespace
}  // namespace stepper::limits
