#include "tools/provider-sim/simulator.h"

#include "core/base/id.h"
#include "core/base/text.h"
#include "tools/provider-sim/formats/common.h"

namespace stepper::sim {
namespace {

// The credential in whichever place the formats put one.
std::string_view keyOf(const Call& call) {
    constexpr std::string_view kBearer = "bearer ";
    if (const auto auth = call.header("authorization"); !auth.empty())
        return equalsIgnoreCase(auth.substr(0, kBearer.size()), kBearer) ? trim(auth.substr(kBearer.size()))
                                                                         : auth;
    for (const auto* name : {"x-api-key", "x-goog-api-key"})
        if (const auto key = call.header(name); !key.empty()) return key;
    return call.parameter("key");
}

StepPtr makeStep(std::string label, Content content) {
    return std::make_shared<const Step>(Step{std::move(label), std::move(content), {}});
}

// What x-sim asks for: nothing without the header, a 400 that says why when it is no step.
StepPtr overrideOf(const Call& call) {
    const auto text = call.header("x-sim");
    if (text.empty()) return nullptr;
    const auto document = json::parse(text);
    auto step = document ? parseStep(*document, "x-sim") : Result<Step>(document.error());
    if (!step)
        return makeStep("x-sim",
                        {.status = 400, .body = obj({{"error", "x-sim: " + step.error().message}}).str()});
    step->label = "x-sim " + step->label;
    return std::make_shared<const Step>(std::move(step).value());
}

// A request the format itself refuses.
StepPtr invalidStep(const Error& error) {
    const int status = error.http_status;
    return makeStep("invalid", {.status = status ? std::optional(status) : std::nullopt,
                                .error = status == 404 ? ErrorKind::Model : ErrorKind::Invalid,
                                .message = error.message});
}

constexpr const char* kNoFormat = R"({"error":"no wire format has this path; see the provider-sim README"})";

}  // namespace

Target targetOf(std::string_view path) {
    constexpr std::string_view kPrefix = "/p/";
    if (!path.starts_with(kPrefix)) return {"default", std::string(path)};
    path.remove_prefix(kPrefix.size());
    const auto slash = std::min(path.find('/'), path.size());
    return {std::string(path.substr(0, slash)), std::string(path.substr(slash))};
}

Rendered Simulator::say(const Visit& v, const Content& content) const {
    const auto allowances =
        v.behaviour.rate_limit_headers ? v.instance.allowances(clock_.now()) : Allowances{};
    return render(*v.format, v.ask, v.behaviour, content, allowances, clock_.wall());
}

Simulator::Plan Simulator::plan(Visit& v) {
    if (!v.format)
        return {.step = makeStep("no format", {}), .rendered = {.reply = {.status = 404, .body = kNoFormat}}};
    if (const auto parsed = v.format->parse(v.call, v.ask); !parsed) {
        const auto step = invalidStep(parsed.error());
        return {.step = step, .rendered = say(v, step->content)};
    }
    const Arrival arrival{.kind = v.ask.kind,
                          .key = v.key,
                          .tokens = static_cast<uint64_t>(tokensOf(v.ask.prompt)),
                          .override_step = overrideOf(v.call),
                          .now = clock_.now()};
    auto decision = v.instance.decide(arrival);
    const bool fails = decision.step->content.fails();
    if (v.ask.kind == Ask::Kind::Fetch && !fails) return planFetch(v);
    if (v.ask.kind == Ask::Kind::Submit && (!fails || decision.step->content.on_result))
        return planSubmit(v, std::move(decision));
    Plan out{.step = decision.step, .latency = decision.latency, .rendered = say(v, decision.step->content)};
    if (out.rendered.completion_tokens) out.prompt_tokens = arrival.tokens;
    return out;
}

Simulator::Plan Simulator::planSubmit(Visit& v, Decision decision) {
    v.ask.event_id = idOf("", v.ask);
    v.instance.remember(v.ask.event_id, {v.ask.prompt, decision.step});
    if (decision.step->content.on_result) decision.step = makeStep("accepted " + decision.step->label, {});
    return {.step = decision.step, .latency = decision.latency, .rendered = say(v, decision.step->content)};
}

// The result of earlier work. The step its POST took acts here if it says so; its answer counts in any case.
Simulator::Plan Simulator::planFetch(Visit& v) {
    auto pending = v.instance.recall(v.ask.event_id);
    if (!pending) {
        const auto step = makeStep("unknown event", {.error = ErrorKind::Model});
        return {.step = step, .rendered = say(v, step->content)};
    }
    v.ask.prompt = std::move(pending->prompt);
    auto step = pending->step;
    if (!step->content.on_result)
        step = makeStep("result", {.null_answer = step->content.null_answer, .answer = step->content.answer});
    return {.step = step, .rendered = say(v, step->content)};
}

bool Simulator::deliver(const Plan& plan, Instance& instance, Wire& wire, LogEntry entry) {
    const auto id = log_.begin(std::move(entry));
    Delivery delivery = plan.step->delivery;
    delivery.delay += plan.latency;
    if (delivery.chunk_delay.count() == 0) delivery.chunk_delay = instance.behaviour()->chunk_delay;

    bool settled = false;
    const auto settle = [&](int status) {
        settled = true;
        const auto completion = static_cast<uint64_t>(plan.rendered.completion_tokens);
        const auto now = clock_.now();
        instance.leave(plan.step->label, {status, plan.prompt_tokens, completion}, now);
        log_.finish(id, [&](LogEntry& e) {
            e.done = true;
            e.status = status;
            e.prompt_tokens = plan.prompt_tokens;
            e.completion_tokens = completion;
            e.ended = now;
        });
    };
    const auto& reply = plan.rendered.reply;
    const auto delivered = respond(wire, reply, delivery, [&] { settle(reply.status); });
    if (wire.clientGone()) {
        instance.aborted();
        log_.finish(id, [&](LogEntry& e) { e.client_gone = clock_.now(); });
    }
    if (!settled) settle(delivered.status);
    return delivered.reusable;
}

bool Simulator::serve(Call& call, Wire& wire, const std::function<bool(Call&)>& read_body,
                      bool new_connection) {
    auto target = targetOf(call.path);
    const auto instance = instances_.get(target.instance);
    if (new_connection) instance->connected();
    LogEntry entry{.began = clock_.now(),
                   .wall = clock_.wall(),
                   .instance = target.instance,
                   .method = call.method,
                   .path = std::exchange(call.path, target.path),
                   .concurrency = instance->enter()};
    const auto behaviour = instance->behaviour();
    Visit visit{*instance, *behaviour, call, formatOf(call), keyOf(call), {}};
    visit.ask.options = behaviour->format;
    visit.ask.serial = ++serial_;
    visit.ask.created = std::chrono::floor<std::chrono::seconds>(entry.wall.time_since_epoch()).count();

    Plan planned;
    if (call.method == "POST") planned.step = instance->takeConnectHang();
    if (!planned.step && !read_body(call)) {
        instance->leave("unreadable", {}, clock_.now());
        instance->aborted();
        return false;
    }
    if (!planned.step) planned = plan(visit);

    entry.authorized = !visit.key.empty();
    if (entry.authorized) entry.key_sha256 = sha256Hex(visit.key);
    entry.format = visit.format ? visit.format->name() : "";
    entry.model = visit.ask.model;
    entry.step = planned.step->label;
    entry.body = std::move(call.body);
    return deliver(planned, *instance, wire, std::move(entry));
}

}  // namespace stepper::sim
