#include "core/engine/chain.h"

#include <algorithm>

#include "core/engine/chat_request.h"
#include "core/engine/classify.h"
#include "core/engine/held_slot.h"
#include "core/engine/judge.h"
#include "core/engine/lesson.h"
#include "core/engine/plan.h"
#include "core/engine/walk.h"
#include "core/telemetry/log.h"

namespace stepper::engine {
namespace {

limits::Demand demandOf(Rendering& rendering, const std::vector<const ProviderEntry*>& plan,
                        const GenerateRequest& request) {
    if (plan.empty()) return {};
    return {rendering.bytes(plan.front()->spec), request.max_output_tokens};
}

// With the story of the walk.
Outcome told(Walk& walk, milliseconds total, std::string_view id, Outcome out) {
    out.attempts = walk.takeRecords();
    out.total = total;
    if (!log::enabled(log::Level::Debug)) return out;
    for (const AttemptRecord& record : out.attempts)
        if (record.number == 0)
            log::debug("passed over", {{"provider", record.provider},
                                       {"reason", record.skipped},
                                       {"readyInMs", record.retry_after.value_or(milliseconds{0}).count()},
                                       {"requestId", id}});
    return out;
}

// Lives for one call of walkChain(), on its thread.
class Chain {
public:
    Chain(const EngineDeps& with, Dispatcher& dispatcher, const Snapshot& snapshot,
          const GenerateRequest& request, SteadyTime deadline, CancelToken& cancel, const RunOptions& options)
        : with_(with),
          dispatcher_(dispatcher),
          snapshot_(snapshot),
          request_(request),
          began_(with.clock.now()),
          deadline_(deadline),
          cancel_(cancel),
          options_(options),
          rendering_(request, snapshot.config.security.redact),
          plan_(plan(snapshot, request)),
          demand_(demandOf(rendering_, plan_, request)),
          walk_(plan_, request, demand_, options, deadline, began_) {}

    Outcome run() {
        if (auto why = unaskable())
            walk_.stop(*std::move(why));
        else
            ask();
        if (out_.provider.empty()) out_.failure = walk_.conclusion(now());
        return told(walk_, since(began_), options_.id, std::move(out_));
    }

private:
    // Why nobody can be asked this, whoever is ready: what cannot be rendered is the request's own failure.
    std::optional<Error> unaskable() {
        if (plan_.empty()) return modelProblem(snapshot_, request_);
        const auto& messages = rendering_.of(plan_.front()->spec);
        return messages ? std::nullopt : std::optional(messages.error());
    }

    void ask() {
        while (walk_.goesOn(now())) {
            std::optional<HeldSlot> slot;
            const auto leg = enter(slot);
            if (!leg || tryLeg(*leg, slot)) break;
        }
        if (out_.provider.empty()) walk_.passOverRest(now());
    }

    // The first provider that is ready, waiting for one where the caller waits; none when there is none.
    std::optional<size_t> enter(std::optional<HeldSlot>& slot) {
        // A quick retry is waited for in any case: it is a matter of milliseconds.
        if (const auto at = walk_.retryAt(now()); at && !options_.wait)
            cancel_.sleepUntil(std::min(*at, deadline_ - kMinCall));
        const auto candidates = walk_.candidates();
        auto admission = options_.wait ? dispatcher_.enter(candidates, demand_, tenantOf(request_),
                                                           deadline_ - kMinCall, cancel_)
                                       : dispatcher_.tryEnter(candidates, demand_);
        // Before anything that may find no memory: what was entered has to be left.
        if (const auto leg = admission.choice.index)
            slot.emplace(*plan_[*leg], std::move(admission.choice.pass), dispatcher_);
        if (admission.cancelled != CancelReason::None)
            walk_.stop({ErrorClass::Cancelled, std::string(name(admission.cancelled))});
        walk_.looked(admission.choice.soonest);
        if (admission.choice.index && !std::exchange(entered_, true) && options_.entered) options_.entered();
        return admission.choice.index;
    }

    // Asks the leg, whose slot is held until its call is over. True when the walk is over: answered, or no
    // other may be asked.
    bool tryLeg(size_t leg, std::optional<HeldSlot>& slot) {
        const ProviderEntry& provider = *plan_[leg];
        const AttemptRecord& record = walk_.begin(leg);
        if (options_.progress) *options_.progress = walk_.progress();
        log::debug(
            "asking",
            {{"provider", provider.spec.name}, {"attemptNumber", record.number}, {"requestId", options_.id}});
        with_.metrics.attempted(provider.spec.name, request_.labels());
        const SteadyTime began = now();
        Attempted got = call(provider, *slot);
        slot.reset();
        const milliseconds took = since(began);
        if (with_.journal) with_.journal->keepStanding(provider.spec.name, provider.gate, deadline_, cancel_);
        with_.metrics.attempt(provider.spec.name, took);

        auto judged = judge(got, *request_.question, [this] { return unwanted(); });
        if (judged) {
            walk_.answered(leg, took, now());
            provider.chronicle->answered();
            with_.metrics.succeeded(provider.spec.name, request_.labels(), took);
            succeed(provider, std::move(got.answer), std::move(judged).value(), took);
            return true;
        }
        return fail(leg, troubleOf(got, std::move(judged).error()), took);
    }

    static Trouble troubleOf(const Attempted& got, Error error) {
        const bool ours =
            error.error_class == ErrorClass::Cancelled || error.error_class == ErrorClass::Timeout;
        return {std::move(error), got.heard, got.unasked, got.concluded, !got.error && ours};
    }

    bool fail(size_t leg, const Trouble& trouble, milliseconds took) {
        const ProviderEntry& provider = *plan_[leg];
        const Walk::Then then = walk_.failed(leg, trouble, took, now());
        const AttemptRecord& record = walk_.leg(leg).records.back();
        tell(provider, trouble, record);
        if (trouble.unasked) return false;
        // A request that is too large for it is no failure of a provider, nor is one that nobody waits for.
        const bool too_large = verdictOn(trouble.error.error_class).report == limits::Report::Kind::TooLarge;
        if (!too_large && !trouble.unwanted)
            with_.metrics.failed(provider.spec.name, record.error_code, request_.labels());
        if (then == Walk::Then::QuickRetry) with_.metrics.quickRetry(provider.spec.name);
        return then == Walk::Then::Over;
    }

    // Calls the provider; the slot is told what its gate should learn.
    Attempted call(const ProviderEntry& provider, HeldSlot& slot) {
        const config::Provider& spec = provider.spec;
        const auto& messages = rendering_.of(spec);
        if (!messages) return {{}, messages.error()};
        if (with_.journal)
            with_.journal->cover(spec.name, provider.gate, slot.pass(), deadline_ - kMinCall, cancel_);
        const SteadyTime until = std::min(deadline_, now() + spec.timeout);
        const bool stream = spec.stream && (provider.plugin->image()->capabilities() & STEPPER_CAP_STREAM);
        const std::string chat = chatRequestJson(request_, spec, *messages, stream);
        const config::Secret& key = provider.keyFor(slot.pass().target);
        if (!provider.has(slot.pass().target)) slot.disown();
        Attempted got = attempt(provider, key, chat, {until, cancel_, with_.transport, with_.clock}, slot);
        if (slot.pass().permit.sent) count(spec, got);
        slot.learned(lessonOf(got, request_, spec, until == deadline_ && walk_.outOfTime(now())));
        return got;
    }

    // Tokens are billed whatever became of them.
    void count(const config::Provider& provider, const Attempted& got) {
        const plugin::Tokens& used = got.answer.usage;
        if (with_.usage) with_.usage->record(tenantOf(request_), provider, !whyNone(got), used);
        if (used.any())
            with_.metrics.tokens(provider.name, used.prompt.value_or(0), used.completion.value_or(0));
    }

    // A client that left, or a machine that lacks the means, is nothing to tell of a provider.
    void tell(const ProviderEntry& provider, const Trouble& trouble, const AttemptRecord& record) const {
        if (trouble.unasked || trouble.unwanted || trouble.error.error_class == ErrorClass::Cancelled)
            log::debug("attempt given up", {{"provider", provider.spec.name},
                                            {"reason", trouble.error.message},
                                            {"requestId", options_.id}});
        else
            provider.chronicle->failed(record.error_code, trouble.error, record.of_request, options_.id);
    }

    void succeed(const ProviderEntry& provider, plugin::Answer answer, output::Processed processed,
                 milliseconds took) {
        if (processed.repaired) with_.metrics.repaired(provider.spec.name);
        out_.result = std::move(processed.value);
        out_.provider = provider.spec.name;
        out_.validated = true;
        out_.repaired = processed.repaired;
        out_.warnings = std::move(answer.warnings);
        std::ranges::move(processed.warnings, std::back_inserter(out_.warnings));
        out_.provider_time = took;
        out_.model = std::move(answer.model);
        if (out_.model.empty()) out_.model = modelFor(request_, provider.spec);
        out_.finish = std::move(answer.finish);
        out_.truncated = isCut(out_.finish);
        out_.usage = answer.usage;
        if (answer.usage.prompt || answer.usage.completion)
            out_.cost =
                costOf(provider.spec, answer.usage.prompt.value_or(0), answer.usage.completion.value_or(0));
    }

    // Why nobody waits for an answer that is there, if so. A server that ends does: it was paid for.
    std::optional<Error> unwanted() const {
        const auto reason = cancel_.check();
        if (reason != CancelReason::None && reason != CancelReason::Draining)
            return Error{ErrorClass::Cancelled, std::string(name(reason))};
        if (now() >= deadline_)
            return Error{ErrorClass::Timeout, "the request's deadline passed while the answer was checked"};
        return std::nullopt;
    }

    SteadyTime now() const { return with_.clock.now(); }
    milliseconds since(SteadyTime start) const {
        return std::chrono::duration_cast<milliseconds>(now() - start);
    }

    const EngineDeps& with_;
    Dispatcher& dispatcher_;
    const Snapshot& snapshot_;
    const GenerateRequest& request_;
    const SteadyTime began_, deadline_;
    CancelToken& cancel_;
    const RunOptions& options_;
    Rendering rendering_;
    const std::vector<const ProviderEntry*> plan_;
    const limits::Demand demand_;
    Walk walk_;
    bool entered_ = false;
    Outcome out_;
};

}  // namespace

Outcome walkChain(const EngineDeps& with, Dispatcher& dispatcher, const Snapshot& snapshot,
                  const GenerateRequest& request, SteadyTime deadline, CancelToken& cancel,
                  const RunOptions& options) {
    return Chain(with, dispatcher, snapshot, request, deadline, cancel, options).run();
}

std::optional<Outcome> tooLargeForAll(const Snapshot& snapshot, const GenerateRequest& request,
                                      SteadyTime now) {
    const RunOptions options;
    Rendering rendering(request, snapshot.config.security.redact);
    const auto asked = plan(snapshot, request);
    Walk walk(asked, request, demandOf(rendering, asked, request), options, SteadyTime::max(), now);
    if (!walk.isTooLargeForAll()) return std::nullopt;
    Outcome out;
    out.failure = walk.conclusion(now);
    return told(walk, milliseconds{0}, options.id, std::move(out));
}

}  // namespace stepper::engine
