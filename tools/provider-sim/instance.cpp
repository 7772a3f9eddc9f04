#include "tools/provider-sim/instance.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/provider-sim/formats/common.h"

namespace stepper::sim {
namespace {

StepPtr okStep() {
    static const auto step = std::make_shared<const Step>(Step{"ok", {}, {}});
    return step;
}

StepPtr refuse(std::string label, Content content) {
    return std::make_shared<const Step>(Step{std::move(label), std::move(content), {}});
}

// Says the wait exactly where the format can, and rounded up where only seconds fit.
Content tooMany(milliseconds wait) {
    Content c{.error = ErrorKind::RateLimit};
    c.retry_info = fmt::format("{:.3f}s", static_cast<double>(wait.count()) / 1000);
    c.try_again_in = goDuration(wait);
    c.retry_after.emplace_back(std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()));
    c.retry_after_ms = std::to_string(wait.count());
    return c;
}

}  // namespace

Instance::Instance(Behaviour behaviour) { set(std::move(behaviour)); }

void Instance::set(Behaviour behaviour) {
    std::lock_guard lock(mutex_);
    behaviour_ = std::make_shared<const Behaviour>(std::move(behaviour));
    restart();
}

void Instance::restart() {
    position_ = 0;
    calls_ = 0;
    first_call_.reset();
    quota_.reset();
    if (behaviour_->quota) quota_.emplace(*behaviour_->quota);
    latency_random_.seed(behaviour_->latency.seed);
    failure_random_.seed(behaviour_->fail_rate.seed);
    pending_.clear();
}

std::shared_ptr<const Behaviour> Instance::behaviour() const {
    std::lock_guard lock(mutex_);
    return behaviour_;
}

Counters Instance::counters() const {
    std::lock_guard lock(mutex_);
    return counters_;
}

void Instance::connected() {
    std::lock_guard lock(mutex_);
    ++counters_.connections;
}

uint64_t Instance::enter() {
    std::lock_guard lock(mutex_);
    ++counters_.requests;
    ++counters_.in_flight;
    counters_.max_in_flight = std::max(counters_.max_in_flight, counters_.in_flight);
    return counters_.in_flight;
}

void Instance::leave(std::string_view step_label, const Outcome& outcome, SteadyTime now) {
    std::lock_guard lock(mutex_);
    --counters_.in_flight;
    ++counters_.by_status[outcome.status];
    const auto it = counters_.by_step.find(step_label);
    ++(it != counters_.by_step.end() ? it->second : counters_.by_step[std::string(step_label)]);
    counters_.prompt_tokens += outcome.prompt_tokens;
    counters_.completion_tokens += outcome.completion_tokens;
    if (quota_ && outcome.completion_tokens) quota_->charge(now, outcome.completion_tokens);
}

void Instance::aborted() {
    std::lock_guard lock(mutex_);
    ++counters_.aborted;
}

StepPtr Instance::takeConnectHang() {
    std::lock_guard lock(mutex_);
    const auto& steps = behaviour_->steps;
    if (steps.empty()) return nullptr;
    const size_t before = position_;
    auto step = nextStep();
    if (step->delivery.hang == Hang::Connect) return step;
    position_ = before;
    return nullptr;
}

StepPtr Instance::nextStep() {
    const auto& steps = behaviour_->steps;
    if (position_ >= steps.size()) {
        if (steps.empty() || behaviour_->then == Then::Ok) return okStep();
        position_ = behaviour_->then == Then::Repeat ? 0 : steps.size() - 1;
    }
    return {behaviour_, &steps[position_++]};
}

bool Instance::asleep(SteadyTime now) {
    const auto& sleep = behaviour_->sleep;
    if (!first_call_) first_call_ = now;
    return calls_++ < sleep.calls || now < *first_call_ + sleep.ms;
}

StepPtr Instance::refusal(const Arrival& a) {
    const auto& b = *behaviour_;
    if (asleep(a.now)) return refuse("asleep", {.status = 503, .html = true});
    if (!b.key.empty() && a.key != b.key) return refuse("key", {.error = ErrorKind::Auth});
    const bool works = a.kind == Ask::Kind::Generate || a.kind == Ask::Kind::Submit;
    if (!works || a.override_step) return nullptr;
    if (b.max_concurrency && counters_.in_flight > b.max_concurrency)
        return refuse("concurrency", {.error = ErrorKind::RateLimit});
    if (quota_)
        if (const auto wait = quota_->admit(a.now, a.tokens))
            return refuse("quota", tooMany(std::chrono::ceil<milliseconds>(*wait)));
    if (b.fail_rate.p > 0 && std::uniform_real_distribution<>(0, 1)(failure_random_) < b.fail_rate.p)
        return refuse("fail_rate", {.status = b.fail_rate.status});
    return nullptr;
}

Decision Instance::decide(const Arrival& a) {
    std::lock_guard lock(mutex_);
    Decision out;
    const auto& latency = behaviour_->latency;
    if (latency.max.count() > 0)
        out.latency = milliseconds(std::uniform_int_distribution<int64_t>(
            latency.min.count(), latency.max.count())(latency_random_));
    out.step = refusal(a);
    if (out.step) return out;
    if (a.override_step)
        out.step = a.override_step;
    else if (a.kind == Ask::Kind::Info)
        out.step = {behaviour_, &behaviour_->probe};
    else
        out.step = a.kind == Ask::Kind::Fetch ? okStep() : nextStep();
    return out;
}

void Instance::remember(const std::string& event_id, Pending pending) {
    std::lock_guard lock(mutex_);
    constexpr size_t kMostPending = 10'000;
    pending_[event_id] = std::move(pending);
    if (pending_.size() > kMostPending) pending_.erase(pending_.begin());  // ids grow: the oldest
}

std::optional<Pending> Instance::recall(const std::string& event_id) {
    std::lock_guard lock(mutex_);
    auto node = pending_.extract(event_id);
    if (node.empty()) return std::nullopt;
    return std::move(node.mapped());
}

Allowances Instance::allowances(SteadyTime now) {
    std::lock_guard lock(mutex_);
    return quota_ ? quota_->left(now) : Allowances{};
}

std::shared_ptr<Instance> Instances::get(const std::string& name) {
    {
        std::shared_lock lock(mutex_);
        if (const auto it = instances_.find(name); it != instances_.end()) return it->second;
    }
    std::unique_lock lock(mutex_);
    auto& slot = instances_[name];
    if (!slot) slot = std::make_shared<Instance>();
    return slot;
}

std::map<std::string, std::shared_ptr<Instance>> Instances::all() const {
    std::shared_lock lock(mutex_);
    return instances_;
}

void Instances::remove(const std::string& name) {
    std::unique_lock lock(mutex_);
    instances_.erase(name);
}

void Instances::clear() {
    std::unique_lock lock(mutex_);
    instances_.clear();
}

}  // namespace stepper::sim
