// Admission to one provider and model: concurrency slots and circuit breaker of them all, and for each of its
// keys quota windows and what the provider asked for.
// Decisions over an injected clock; no waiting, no I/O. What it learns outlives reloads of the configuration.
#pragma once
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/limits/breaker.h"
#include "core/limits/denial.h"
#include "core/limits/latency.h"
#include "core/limits/quotas.h"
#include "core/limits/retry_budget.h"
#include "core/limits/standing.h"
#include "core/limits/token_estimate.h"

namespace stepper::limits {

struct GateOptions {
    int concurrency = 2;
    config::Limits limits = {};
    BreakerOptions breaker = {};
    // One for each key, and one where there is none: digests of all that a refusal for good may have been
    // about (key, model, URL).
    std::vector<std::string> targets = {""};
};

// Tells the targets of a gate apart, within a process.
size_t targetId(std::string_view target);
inline constexpr size_t kNoTarget = 0;

// What is known of one key.
struct GateKey {
    GateKey(std::string for_target, const config::Limits& limits, const Clock& clock)
        : target(std::move(for_target)), quotas(limits, clock) {}

    std::string target;
    Quotas quotas;
    Standing standing = {};
    SteadyTime last_used = {};
};

// Whether a request could enter now, and if not, why and when it could.
struct Readiness {
    std::optional<Denial> denied;  // empty: it can
    SteadyTime at{};  // when denied: the soonest it can change by itself; max() when only a leave() can
    // The soonest it may be, if calls that are under way end well; `leave_helps`: as soon as one ends.
    SteadyTime at_best = at;
    bool leave_helps = false;
    // For whom else this holds: a request of more than `most_bytes` is too large, and where tokens count
    // another one's may make another answer.
    bool tokens_count = false;
    uint64_t most_bytes = kAnySize;

    static constexpr uint64_t kAnySize = std::numeric_limits<uint64_t>::max();
    explicit operator bool() const { return !denied; }
};

// A held slot with what was reserved for it. Belongs to who entered; ends in leave().
struct Pass {
    std::shared_ptr<GateKey> key;  // of whose quotas it is; for its gate
    size_t target = 0;             // targetId() of that key, when it was entered
    Demand demand;
    Permit permit;
    Breaker::Pass breaker;
    SteadyTime entered;
};

struct Entry {
    std::optional<Pass> pass;  // empty: denied, see readiness
    Readiness readiness;
};

// What an attempt says about its provider. Neutral: nothing (the caller's fault, cancelled).
struct Report {
    enum class Kind {
        Ok,
        Neutral,
        TooLarge,  // this request, for this provider
        RateLimited,
        QuotaExhausted,
        Failed,
        Unreachable,
        KeyRefused,
        ModelMissing,
    };
    Kind kind = Kind::Neutral;
    std::optional<milliseconds> retry_after = {};
    std::optional<int64_t> tokens_in = {}, tokens_out = {};  // as far as reported, also of a failure
    std::optional<int64_t> most_tokens = {};  // that a request may have, where a refusal said so
    std::string words = {};                   // the provider's, of an exhausted quota
};

// What people are shown.
struct GateState {
    std::optional<Denial> denied;
    milliseconds ready_in{0};  // 0 when unknown or now
    int in_flight = 0;
    int failures_in_row = 0;
    bool only_fails = false;  // as often in a row as opens a circuit, though too seldom for that
    Breaker::State breaker = Breaker::State::Closed;
    std::optional<SetAside> set_aside;        // also while it is tried again
    bool asked_for_pause = false;             // the provider did, and that is why it is denied
    std::optional<int64_t> most_tokens = {};  // per request, as the provider has said
    std::string quota_words = {};             // with which it said that a quota is used up, while that lasts
    std::optional<milliseconds> p50, p95;
    std::vector<QuotaState> quotas;  // of all keys that are not set aside together
    struct Key {
        std::optional<Denial> denied;
        milliseconds ready_in{0};
        std::optional<SetAside> set_aside;
        std::vector<QuotaState> quotas;
    };
    std::vector<Key> keys;  // where there are several
};

// Safe from any thread; every call is short. The clock must outlive it.
class Gate {
public:
    // `chance` gives numbers in [0, 1) for jitter, under the gate's lock.
    Gate(const Clock& clock, GateOptions options, std::function<double()> chance);

    Readiness look(const Demand& demand);
    Entry tryEnter(const Demand& demand);
    // The request is on its way.
    void sent(Pass& pass);
    // The answer begins; what its headers said of limits.
    void hear(Pass& pass, const std::vector<Allowance>& said);
    // What a report changed that somebody should be told.
    struct News {
        std::optional<SetAside> set_aside;
        size_t key = 0;                         // 1, 2, ...: only that one is; 0: the provider is
        std::optional<Breaker::State> circuit;  // Open or Closed
        bool reopened = false;                  // by a request that tried it again
        Breaker::Counts counts = {};            // what opened it
        milliseconds open_for{0};
        bool any() const { return set_aside || circuit; }
    };
    News leave(const Pass& pass, const Report& report);
    // A key was found to be refused outside of any call.
    News keyRefused(size_t target);
    // Whether a quick retry is within the provider's budget; takes it.
    bool mayRetry();

    GateState state();
    std::optional<milliseconds> p50();
    // When a call ended well last; none: never.
    std::optional<SteadyTime> lastOk();
    // How many requests of the usual size could enter now, at most `most`; and when more could, max() when
    // unknown.
    struct Room {
        int now = 0;
        SteadyTime more_at{};
        bool set_aside = false;  // nothing to wait for before somebody acts
    };
    Room room(int most);
    // How many such requests could be sent within that time; none to a provider that lately did nothing but
    // fail.
    int64_t sendsWithin(milliseconds ahead);

    // New limits after a reload; what is known of the provider stays, except what another key, model or URL
    // may have mended.
    void reconfigure(GateOptions options);

    // See Quotas: what keeps quotas across restarts.
    struct Saved {
        std::string text;
        std::vector<std::pair<std::shared_ptr<GateKey>, int64_t>> covers;
    };
    bool covers(const Pass& pass);
    Saved save(bool final);
    void saved(const Saved& written);
    bool restore(std::string_view text, std::optional<milliseconds> age);

    // The same for what the provider asked for: how long to leave it alone, and why. The text is "" when
    // nothing lasts.
    struct SavedStanding {
        std::string text;
        uint64_t version = 0;
    };
    SavedStanding saveStanding();
    void standingSaved(uint64_t version);
    // The version that is still to be saved, 0 when none is; and whether that one or a later one was.
    uint64_t standingToSave();
    bool standingIsSaved(uint64_t version);
    // `age`: how long ago it was saved. Nothing is restored of what is over, or was asked of another key,
    // model or URL. False when it is no such text.
    bool restoreStanding(std::string_view text, milliseconds age);

private:
    // The key to go with, none when there is none now, and why.
    struct Look {
        std::shared_ptr<GateKey> key;
        Readiness readiness;
    };

    Look lookAt(SteadyTime now, const Cost& cost);
    Look lookFor(SteadyTime now, const Demand& demand, const Cost& cost);
    Look bestKey(SteadyTime now, const Cost& cost);
    Readiness readinessOf(GateKey& key, SteadyTime now, const Cost& cost);
    bool has(const std::shared_ptr<GateKey>& key) const;  // else a reload has taken it away
    bool isLeftAlone(SteadyTime now) const;               // with every key
    int64_t sendsOf(SteadyTime now, milliseconds ahead, const Cost& cost);
    void tellCircuit(SteadyTime now, Breaker::State before, News& news);
    void learn(SteadyTime now, const Pass& pass, const Report& report, const Quotas::Actual& actual,
               News& news);
    void setAside(SteadyTime now, GateKey& key, SetAside why, const Report& report, News& news);
    std::optional<int64_t> saidMost(SteadyTime now);
    std::optional<SetAside> allSetAside() const;
    std::vector<QuotaState> quotasTogether();

    const Clock& clock_;
    const std::function<double()> chance_;
    std::mutex mutex_;
    GateOptions options_;
    std::vector<std::shared_ptr<GateKey>> keys_;  // never empty
    Breaker breaker_;
    RetryBudget budget_;
    Latency latency_;
    TokenEstimate estimate_;
    Demand usual_;  // the last request's
    int in_flight_ = 0;
    int failures_in_row_ = 0;
    std::optional<SteadyTime> last_ok_;
    uint64_t standing_version_ = 0, saved_standing_ = 0;
    // What the provider said a request may have at most.
    struct Said {
        int64_t most_tokens;
        SteadyTime until;
    };
    std::optional<Said> said_;
};

}  // namespace stepper::limits
