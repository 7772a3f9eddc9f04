#include "core/telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "core/telemetry/series.h"

namespace stepper {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;

// All of the inherited ones are among them.
const Histogram::BucketBoundaries kSeconds = {0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120};

double seconds(milliseconds d) { return static_cast<double>(d.count()) / 1000.0; }

}  // namespace

struct Metrics::Families {
    prometheus::Registry registry;

    Series<Counter> counters(const char* name, const char* help, std::vector<std::string> labels) {
        return {prometheus::BuildCounter().Name(name).Help(help).Register(registry), std::move(labels)};
    }
    Series<Gauge> gauges(const char* name, const char* help, std::vector<std::string> labels) {
        return {prometheus::BuildGauge().Name(name).Help(help).Register(registry), std::move(labels)};
    }
    Series<Histogram> histograms(const char* name, const char* help, std::vector<std::string> labels) {
        return {prometheus::BuildHistogram().Name(name).Help(help).Register(registry), std::move(labels),
                kSeconds};
    }
    Gauge& gauge(const char* name, const char* help) {
        return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
    }

    Series<Counter> calls = counters("ai_requests_total", "Calls of providers: attempted, success, failed",
                                     {"provider", "status", "preset", "response_mode"});
    Series<Histogram> call_seconds =
        histograms("ai_request_duration_seconds", "Time of a call that a provider answered well",
                   {"provider", "preset", "response_mode"});
    Series<Counter> requests = counters("stepper_requests_total", "Generation requests by outcome",
                                        {"provider", "status", "preset", "response_mode"});
    Series<Histogram> request_seconds =
        histograms("stepper_request_duration_seconds", "Time of a whole generation request",
                   {"provider", "status", "preset", "response_mode"});
    Series<Counter> failures = counters("provider_failures_total", "Failed attempts by provider and reason",
                                        {"provider", "reason", "preset", "response_mode"});
    Series<Counter> quick_retries =
        counters("stepper_quick_retries_total",
                 "Calls repeated at once because the provider could not be reached", {"provider"});
    Series<Counter> repairs = counters("stepper_repaired_answers_total",
                                       "Answers that were JSON only after a repair", {"provider"});
    Series<Histogram> attempt_seconds =
        histograms("stepper_attempt_duration_seconds", "Time of one attempt at one provider", {"provider"});
    Series<Counter> tokens =
        counters("stepper_tokens_total", "Tokens as the providers counted them", {"provider", "direction"});
    Series<Histogram> http_seconds =
        histograms("stepper_http_request_duration_seconds", "Time of an HTTP request by route and status",
                   {"route", "status"});
    Series<Counter> cache_hits = counters("cache_hits_total", "Requests answered from the cache",
                                          {"status", "preset", "response_mode"});
    Series<Counter> cache_misses =
        counters("cache_misses_total", "Requests the cache had no answer for", {"preset", "response_mode"});
    Series<Counter> jobs_processed =
        counters("jobs_processed_total", "Jobs that ended: success (a fallback, too), failed", {"status"});
    Series<Counter> jobs_ended = counters("stepper_jobs_ended_total", "Jobs that ended, by how", {"status"});
    Series<Gauge> jobs = gauges("stepper_jobs", "Live jobs by lane and state", {"lane", "state"});
    Series<Gauge> oldest_ready = gauges("stepper_oldest_ready_job_seconds",
                                        "Age of the job that waits longest for a worker", {"lane"});
    Series<Gauge> provider_ready =
        gauges("stepper_provider_ready", "1 when the provider takes a request now", {"provider"});
    Series<Gauge> circuit_open =
        gauges("stepper_circuit_open", "1 while the provider's circuit is not closed", {"provider"});
    Series<Gauge> quota_remaining =
        gauges("stepper_quota_remaining", "What is left of a provider's quota, in its requests or tokens",
               {"provider", "window"});
    Series<Counter> reloads =
        counters("stepper_reloads_total", "Changed files that were put in force, or refused", {"result"});
    Gauge& reload_ok = gauge("stepper_last_reload_successful", "0 while the files hold what is refused");
    Gauge& generation = gauge("stepper_config_generation", "Counts what has been in force since the start");
    Series<Gauge> plugins = gauges("stepper_plugins", "Plugins by state", {"state"});
    Gauge& queue_size = gauge("job_queue_size", "Jobs waiting for a worker");
    Gauge& store_ok = gauge("stepper_store_ok", "0 while the store refuses work");
    Gauge& in_flight = gauge("stepper_http_in_flight", "HTTP requests being handled");
};

Metrics::Metrics() : f_(std::make_unique<Families>()) {
    f_->reload_ok.Set(1);
    f_->generation.Set(1);
}
Metrics::~Metrics() = default;

void Metrics::attempted(std::string_view provider, const RequestLabels& of) {
    f_->calls({provider, "attempted", of.preset, of.response_mode}).Increment();
}

void Metrics::succeeded(std::string_view provider, const RequestLabels& of, milliseconds duration) {
    f_->calls({provider, "success", of.preset, of.response_mode}).Increment();
    f_->call_seconds({provider, of.preset, of.response_mode}).Observe(seconds(duration));
}

void Metrics::failed(std::string_view provider, std::string_view reason, const RequestLabels& of) {
    f_->calls({provider, "failed", of.preset, of.response_mode}).Increment();
    f_->failures({provider, reason, of.preset, of.response_mode}).Increment();
}

void Metrics::attempt(std::string_view provider, milliseconds duration) {
    f_->attempt_seconds({provider}).Observe(seconds(duration));
}

void Metrics::request(std::string_view provider, std::string_view status, const RequestLabels& of,
                      milliseconds duration) {
    f_->requests({provider, status, of.preset, of.response_mode}).Increment();
    f_->request_seconds({provider, status, of.preset, of.response_mode}).Observe(seconds(duration));
}

void Metrics::quickRetry(std::string_view provider) { f_->quick_retries({provider}).Increment(); }

void Metrics::repaired(std::string_view provider) { f_->repairs({provider}).Increment(); }

void Metrics::tokens(std::string_view provider, int64_t prompt, int64_t completion) {
    f_->tokens({provider, "input"}).Increment(static_cast<double>(prompt));
    f_->tokens({provider, "output"}).Increment(static_cast<double>(completion));
}

void Metrics::http(std::string_view route, int status, milliseconds duration) {
    f_->http_seconds({route, std::to_string(status)}).Observe(seconds(duration));
}

void Metrics::inFlight(int n) { f_->in_flight.Set(n); }

void Metrics::cacheHit(std::string_view status, const RequestLabels& of) {
    f_->cache_hits({status, of.preset, of.response_mode}).Increment();
}

void Metrics::cacheMiss(const RequestLabels& of) {
    f_->cache_misses({of.preset, of.response_mode}).Increment();
}

void Metrics::jobEnded(std::string_view status) {
    f_->jobs_ended({status}).Increment();
    if (status == "failed") f_->jobs_processed({"failed"}).Increment();
    if (status == "completed" || status == "fallback") f_->jobs_processed({"success"}).Increment();
}

void Metrics::jobsInState(std::string_view lane, std::string_view state, int64_t count) {
    f_->jobs({lane, state}).Set(static_cast<double>(count));
}

void Metrics::oldestReadyJob(std::string_view lane, milliseconds age) {
    f_->oldest_ready({lane}).Set(seconds(age));
}

void Metrics::providerState(std::string_view provider, bool ready, bool circuit_open) {
    f_->provider_ready({provider}).Set(ready ? 1 : 0);
    f_->circuit_open({provider}).Set(circuit_open ? 1 : 0);
}

void Metrics::quotaRemaining(std::string_view provider, std::string_view window, int64_t units) {
    f_->quota_remaining({provider, window}).Set(static_cast<double>(units));
}

void Metrics::jobQueue(int64_t size) { f_->queue_size.Set(static_cast<double>(size)); }

void Metrics::store(bool ok) { f_->store_ok.Set(ok ? 1 : 0); }

void Metrics::reload(bool ok, int64_t generation) {
    f_->reloads({ok ? "applied" : "refused"}).Increment();
    f_->reload_ok.Set(ok ? 1 : 0);
    f_->generation.Set(static_cast<double>(generation));
}

void Metrics::pluginsInState(std::string_view state, int64_t count) {
    f_->plugins({state}).Set(static_cast<double>(count));
}

std::string Metrics::render() const { return prometheus::TextSerializer().Serialize(f_->registry.Collect()); }

}  // namespace stepper
