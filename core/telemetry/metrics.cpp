#include "core/telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace stepper {
namespace {

const prometheus::Histogram::BucketBoundaries kSeconds = {0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1,
                                                          2.5,   5,     10,    30,  60,   120};

double seconds(milliseconds d) { return static_cast<double>(d.count()) / 1000.0; }

}  // namespace

struct Metrics::Families {
    prometheus::Registry registry;
    prometheus::Family<prometheus::Counter>& requests = prometheus::BuildCounter()
                                                            .Name("ai_requests_total")
                                                            .Help("Generation requests by outcome")
                                                            .Register(registry);
    prometheus::Family<prometheus::Histogram>& request_seconds =
        prometheus::BuildHistogram()
            .Name("ai_request_duration_seconds")
            .Help("Time of a whole generation request")
            .Register(registry);
    prometheus::Family<prometheus::Counter>& failures = prometheus::BuildCounter()
                                                            .Name("provider_failures_total")
                                                            .Help("Failed attempts by provider and reason")
                                                            .Register(registry);
    prometheus::Family<prometheus::Counter>& quick_retries =
        prometheus::BuildCounter()
            .Name("stepper_quick_retries_total")
            .Help("Calls repeated at once because the provider could not be reached")
            .Register(registry);
    prometheus::Family<prometheus::Counter>& repairs =
        prometheus::BuildCounter()
            .Name("stepper_repaired_answers_total")
            .Help("Answers that were JSON only after a repair")
            .Register(registry);
    prometheus::Family<prometheus::Histogram>& attempt_seconds =
        prometheus::BuildHistogram()
            .Name("stepper_attempt_duration_seconds")
            .Help("Time of one attempt at one provider")
            .Register(registry);
    prometheus::Family<prometheus::Counter>& tokens = prometheus::BuildCounter()
                                                          .Name("stepper_tokens_total")
                                                          .Help("Tokens as the providers counted them")
                                                          .Register(registry);
    prometheus::Family<prometheus::Histogram>& http_seconds =
        prometheus::BuildHistogram()
            .Name("stepper_http_request_duration_seconds")
            .Help("Time of an HTTP request by route and status")
            .Register(registry);
    prometheus::Family<prometheus::Counter>& cache_hits = prometheus::BuildCounter()
                                                              .Name("cache_hits_total")
                                                              .Help("Requests answered from the cache")
                                                              .Register(registry);
    prometheus::Counter& cache_misses = prometheus::BuildCounter()
                                            .Name("cache_misses_total")
                                            .Help("Requests the cache had no answer for")
                                            .Register(registry)
                                            .Add({});
    prometheus::Family<prometheus::Counter>& jobs_ended = prometheus::BuildCounter()
                                                              .Name("jobs_processed_total")
                                                              .Help("Jobs that ended, by how")
                                                              .Register(registry);
    prometheus::Family<prometheus::Gauge>& jobs =
        prometheus::BuildGauge().Name("stepper_jobs").Help("Live jobs by lane and state").Register(registry);
    prometheus::Family<prometheus::Gauge>& oldest_ready =
        prometheus::BuildGauge()
            .Name("stepper_oldest_ready_job_seconds")
            .Help("Age of the job that waits longest for a worker")
            .Register(registry);
    prometheus::Family<prometheus::Gauge>& provider_ready =
        prometheus::BuildGauge()
            .Name("stepper_provider_ready")
            .Help("1 when the provider takes a request now")
            .Register(registry);
    prometheus::Family<prometheus::Gauge>& circuit_open =
        prometheus::BuildGauge()
            .Name("stepper_circuit_open")
            .Help("1 while the provider's circuit is not closed")
            .Register(registry);
    prometheus::Family<prometheus::Gauge>& quota_remaining =
        prometheus::BuildGauge()
            .Name("stepper_quota_remaining")
            .Help("What is left of a provider's quota, in its requests or tokens")
            .Register(registry);
    prometheus::Family<prometheus::Counter>& reloads =
        prometheus::BuildCounter()
            .Name("stepper_reloads_total")
            .Help("Changed files that were put in force, or refused")
            .Register(registry);
    prometheus::Gauge& reload_ok = prometheus::BuildGauge()
                                       .Name("stepper_last_reload_successful")
                                       .Help("0 while the files hold what is refused")
                                       .Register(registry)
                                       .Add({});
    prometheus::Gauge& generation = prometheus::BuildGauge()
                                        .Name("stepper_config_generation")
                                        .Help("Counts what has been in force since the start")
                                        .Register(registry)
                                        .Add({});
    prometheus::Family<prometheus::Gauge>& plugins =
        prometheus::BuildGauge().Name("stepper_plugins").Help("Plugins by state").Register(registry);
    prometheus::Gauge& queue_size = prometheus::BuildGauge()
                                        .Name("job_queue_size")
                                        .Help("Jobs waiting for a worker")
                                        .Register(registry)
                                        .Add({});
    prometheus::Gauge& store_ok = prometheus::BuildGauge()
                                      .Name("stepper_store_ok")
                                      .Help("0 while the store refuses work")
                                      .Register(registry)
                                      .Add({});
    prometheus::Gauge& in_flight = prometheus::BuildGauge()
                                       .Name("stepper_http_in_flight")
                                       .Help("HTTP requests being handled")
                                       .Register(registry)
                                       .Add({});
};

Metrics::Metrics() : f_(std::make_unique<Families>()) {
    f_->reload_ok.Set(1);
    f_->generation.Set(1);
}
Metrics::~Metrics() = default;

void Metrics::request(std::string_view provider, std::string_view status, std::string_view preset,
                      std::string_view response_mode, milliseconds duration) {
    const prometheus::Labels labels = {{"provider", std::string(provider)},
                                       {"status", std::string(status)},
                                       {"preset", std::string(preset)},
                                       {"response_mode", std::string(response_mode)}};
    f_->requests.Add(labels).Increment();
    f_->request_seconds.Add(labels, kSeconds).Observe(seconds(duration));
}

void Metrics::providerFailure(std::string_view provider, std::string_view reason) {
    f_->failures.Add({{"provider", std::string(provider)}, {"reason", std::string(reason)}}).Increment();
}

void Metrics::quickRetry(std::string_view provider) {
    f_->quick_retries.Add({{"provider", std::string(provider)}}).Increment();
}

void Metrics::repaired(std::string_view provider) {
    f_->repairs.Add({{"provider", std::string(provider)}}).Increment();
}

void Metrics::attempt(std::string_view provider, milliseconds duration) {
    f_->attempt_seconds.Add({{"provider", std::string(provider)}}, kSeconds).Observe(seconds(duration));
}

void Metrics::tokens(std::string_view provider, int64_t prompt, int64_t completion) {
    f_->tokens.Add({{"provider", std::string(provider)}, {"direction", "input"}})
        .Increment(static_cast<double>(prompt));
    f_->tokens.Add({{"provider", std::string(provider)}, {"direction", "output"}})
        .Increment(static_cast<double>(completion));
}

void Metrics::http(std::string_view route, int status, milliseconds duration) {
    f_->http_seconds.Add({{"route", std::string(route)}, {"status", std::to_string(status)}}, kSeconds)
        .Observe(seconds(duration));
}

void Metrics::inFlight(int n) { f_->in_flight.Set(n); }

void Metrics::cacheHit(std::string_view status) {
    f_->cache_hits.Add({{"status", std::string(status)}}).Increment();
}

void Metrics::cacheMiss() { f_->cache_misses.Increment(); }

void Metrics::jobEnded(std::string_view status) {
    f_->jobs_ended.Add({{"status", std::string(status)}}).Increment();
}

void Metrics::jobsInState(std::string_view lane, std::string_view state, int64_t count) {
    f_->jobs.Add({{"lane", std::string(lane)}, {"state", std::string(state)}})
        .Set(static_cast<double>(count));
}

void Metrics::oldestReadyJob(std::string_view lane, milliseconds age) {
    f_->oldest_ready.Add({{"lane", std::string(lane)}}).Set(seconds(age));
}

void Metrics::providerState(std::string_view provider, bool ready, bool circuit_open) {
    f_->provider_ready.Add({{"provider", std::string(provider)}}).Set(ready ? 1 : 0);
    f_->circuit_open.Add({{"provider", std::string(provider)}}).Set(circuit_open ? 1 : 0);
}

void Metrics::quotaRemaining(std::string_view provider, std::string_view window, int64_t units) {
    f_->quota_remaining.Add({{"provider", std::string(provider)}, {"window", std::string(window)}})
        .Set(static_cast<double>(units));
}

void Metrics::jobQueue(int64_t size) { f_->queue_size.Set(static_cast<double>(size)); }

void Metrics::store(bool ok) { f_->store_ok.Set(ok ? 1 : 0); }

void Metrics::reload(bool ok, int64_t generation) {
    f_->reloads.Add({{"result", ok ? "applied" : "refused"}}).Increment();
    f_->reload_ok.Set(ok ? 1 : 0);
    f_->generation.Set(static_cast<double>(generation));
}

void Metrics::pluginsInState(std::string_view state, int64_t count) {
    f_->plugins.Add({{"state", std::string(state)}}).Set(static_cast<double>(count));
}

std::string Metrics::render() const { return prometheus::TextSerializer().Serialize(f_->registry.Collect()); }

}  // namespace stepper
