// Prometheus metrics. Label values come from fixed sets or the configuration, never from a request, so the
// number of series is bounded. Those without "stepper_" before their names are inherited, and mean what they
// did. Safe from any thread.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace stepper {

// What is asked for: preset "generic" or "commit-report", response mode "json" or "text".
struct RequestLabels {
    std::string_view preset, response_mode;
};

class Metrics {
public:
    Metrics();
    ~Metrics();

    // One call of a provider begins; it answered well, or failed: `reason` is a wire code (RATE_LIMIT, ...).
    // A call that says nothing of the provider does neither.
    void attempted(std::string_view provider, const RequestLabels& of);
    void succeeded(std::string_view provider, const RequestLabels& of, milliseconds duration);
    void failed(std::string_view provider, std::string_view reason, const RequestLabels& of);
    // However it ended.
    void attempt(std::string_view provider, milliseconds duration);
    // One generate call: status is completed, fallback or failed; provider is "none" when nobody answered.
    void request(std::string_view provider, std::string_view status, const RequestLabels& of,
                 milliseconds duration);
    void quickRetry(std::string_view provider);
    // An answer that was JSON only after a repair.
    void repaired(std::string_view provider);
    void tokens(std::string_view provider, int64_t prompt, int64_t completion);
    // One HTTP request; `route` is a pattern of ours, never the path.
    void http(std::string_view route, int status, milliseconds duration);
    void inFlight(int n);
    // A request answered from the cache: "fresh" or "stale"; or not.
    void cacheHit(std::string_view status, const RequestLabels& of);
    void cacheMiss(const RequestLabels& of);
    // One job that ended: completed, fallback, failed or cancelled.
    void jobEnded(std::string_view status);
    // How many jobs are in that state now; `lane` is live, batch or suspect.
    void jobsInState(std::string_view lane, std::string_view state, int64_t count);
    void oldestReadyJob(std::string_view lane, milliseconds age);
    // A provider as it is now.
    void providerState(std::string_view provider, bool ready, bool circuit_open);
    // `window` is a configured one: "rpm", "tpd".
    void quotaRemaining(std::string_view provider, std::string_view window, int64_t units);
    // The files were read and something came of it: put in force, or refused.
    void reload(bool ok, int64_t generation);
    // How many plugins are in that state: live, probation, retired, rejected, quarantined.
    void pluginsInState(std::string_view state, int64_t count);
    // All jobs that wait for a worker.
    void jobQueue(int64_t size);
    // Whether the store takes what is written to it.
    void store(bool ok);

    // The text exposition format.
    std::string render() const;

private:
    struct Families;
    std::unique_ptr<Families> f_;
};

}  // namespace stepper
