#include "generation.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace gemini {
namespace {

namespace kit = stepper::kit;
using kit::Value;
using stepper::sdk::Action;
using stepper::sdk::Event;
using stepper::sdk::Failure;

constexpr int kMaxHops = 8;

std::optional<int64_t> sum(std::optional<int64_t> a, std::optional<int64_t> b) {
    return a && b ? *a + *b : a ? a : b;
}

kit::Usage sum(const kit::Usage& a, const kit::Usage& b) {
    return {sum(a.prompt, b.prompt), sum(a.completion, b.completion), sum(a.total, b.total),
            sum(a.reasoning, b.reasoning), sum(a.cached, b.cached)};
}

// IMAGE_SAFETY is to SAFETY what IMAGE_OTHER is to OTHER.
std::string_view withoutImage(std::string_view reason) {
    constexpr std::string_view kPrefix = "IMAGE_";
    return reason.starts_with(kPrefix) ? reason.substr(kPrefix.size()) : reason;
}

// A function call or an answer the model got wrong: asked again it may well get it right.
bool isMisfire(std::string_view reason) {
    constexpr std::array<std::string_view, 5> kReasons = {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL",
                                                          "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
                                                          "MALFORMED_RESPONSE"};
    return std::find(kReasons.begin(), kReasons.end(), reason) != kReasons.end();
}

bool unsaid(std::string_view reason) { return reason.empty() || reason.ends_with("_UNSPECIFIED"); }

}  // namespace

// A bare CR ends a line too, but the host cuts at LF only.
Action Generation::onEvent(std::string_view, std::string_view data, const Event& ev) {
    while (!data.empty()) {
        const size_t end = std::min(data.find('\r'), data.size());
        if (Action action = onLine(data.substr(0, end), ev); action.kind != STEPPER_CONTINUE) return action;
        data.remove_prefix(std::min(end + 1, data.size()));
    }
    return Action::more();
}

Action Generation::onLine(std::string_view line, const Event& ev) {
    constexpr std::string_view kBom = "\xEF\xBB\xBF", kData = "data:";
    if (line.starts_with(kBom)) line.remove_prefix(kBom.size());
    if (line.starts_with(kData)) return HttpSession::onEvent({}, line.substr(kData.size()), ev);
    const std::string_view words = kit::trim(line);
    const bool opens =
        !words.empty() && std::string_view("{[<").find(words.front()) != std::string_view::npos;
    if (opens || !bare_.empty()) bare_.append(line).append("\n");
    return Action::more();
}

Action Generation::onStreamEnd(const Event& ev) {
    if (bare_.empty()) return exchangeDone(ev);
    const kit::Document json = kit::parse(bare_);
    if (json.HasParseError())
        return badResponse("the stream holds neither events nor JSON: " +
                           kit::presentable(kit::htmlText(bare_)));
    return onWhole(json, ev);
}

// Without alt=sse a stream is one array of what would have been its events.
Action Generation::onWhole(const Value& json, const Event& ev) {
    const auto one = [&](const Value& chunk) {
        return kit::isErrorBody(chunk) ? onRefused(kit::classifyInside(status(), headers(), chunk), chunk, ev)
                                       : onChunk({}, chunk, ev);
    };
    if (!json.IsArray()) {
        Action action = one(json);
        return action.kind == STEPPER_CONTINUE ? exchangeDone(ev) : action;
    }
    for (const Value& chunk : json.GetArray())
        if (Action action = one(chunk); action.kind != STEPPER_CONTINUE) return action;
    return exchangeDone(ev);
}

Action Generation::onChunk(std::string_view, const Value& json, const Event& ev) {
    if (const Value* usage = kit::object(json, "usageMetadata")) noteUsage(*usage, ev);
    if (const auto model = kit::string(json, "modelVersion"); !model.empty()) model_ = model;
    if (const auto id = kit::string(json, "responseId"); !id.empty()) id_ = id;
    if (const Value* feedback = kit::object(json, "promptFeedback"))
        if (const auto reason = kit::string(*feedback, "blockReason"); !unsaid(reason))
            return blocked("the prompt was refused", reason);

    const Value* candidate = kit::at(json, "/candidates/0");
    if (!candidate) return Action::more();
    if (const Value* parts = kit::at(*candidate, "/content/parts"); parts && parts->IsArray())
        for (const Value& part : parts->GetArray()) onPart(part, ev);
    if (const auto token = kit::string(*candidate, "continuationToken"); !token.empty()) token_ = token;
    return onFinishReason(kit::string(*candidate, "finishReason"), kit::string(*candidate, "finishMessage"),
                          ev);
}

void Generation::onPart(const Value& part, const Event& ev) {
    const std::string_view words = kit::string(part, "text");
    if (kit::boolean(part, "thought").value_or(false))
        reasoning(ev, words);
    else
        text(ev, words);
    if (const Value* call = kit::object(part, "functionCall")) onCall(*call, part, ev);
}

// The signature travels where Google's own OpenAI-compatible endpoint puts it; Gemini 3 wants it back.
void Generation::onCall(const Value& call, const Value& part, const Event& ev) {
    kit::Document out(rapidjson::kObjectType);
    auto& a = out.GetAllocator();
    const std::string_view given = kit::string(call, "id");
    const std::string made = "call_" + (id_.empty() ? "" : id_ + "_") + std::to_string(calls_++);
    kit::set(out, "id", given.empty() ? made : given, a);
    kit::set(out, "type", "function", a);
    Value function = kit::newObject();
    kit::set(function, "name", kit::string(call, "name"), a);
    const Value* args = kit::object(call, "args");
    kit::set(function, "arguments", args ? kit::dump(*args) : "{}", a);
    kit::set(out, "function", std::move(function), a);
    if (const auto signature = kit::string(part, "thoughtSignature"); !signature.empty()) {
        Value google = kit::newObject(), extra = kit::newObject();
        kit::set(google, "thought_signature", signature, a);
        kit::set(extra, "google", std::move(google), a);
        kit::set(out, "extra_content", std::move(extra), a);
    }
    toolCall(ev, kit::dump(out));
}

Action Generation::onFinishReason(std::string_view reason, std::string_view message, const Event& ev) {
    if (unsaid(reason)) return Action::more();
    unfinished_ = reason == "CONTINUATION" && !token_.empty() && hops_ < kMaxHops;
    if (unfinished_) return Action::more();
    if (isMisfire(reason))
        return badResponse("the model's answer is unusable: " + std::string(reason) +
                           (message.empty() ? "" : ": " + kit::presentable(message)));
    const std::string_view plain = withoutImage(reason);
    if (kit::finishWord(plain) == "content_filter") return blocked("the answer was withheld", reason);
    // Gemini stops after its function calls as after any answer.
    finish(ev, calls_ > 0 && plain == "STOP" ? "tool_calls" : plain);
    return Action::more();
}

// Thoughts are billed as output, what Google's own tools found as input. What is left out is 0.
void Generation::noteUsage(const Value& usage, const Event& ev) {
    now_.prompt =
        sum(kit::integer(usage, "promptTokenCount"), kit::integer(usage, "toolUsePromptTokenCount"));
    now_.reasoning = kit::integer(usage, "thoughtsTokenCount");
    now_.completion = kit::integer(usage, "candidatesTokenCount").value_or(0) + now_.reasoning.value_or(0);
    now_.total = kit::integer(usage, "totalTokenCount");
    now_.cached = kit::integer(usage, "cachedContentTokenCount");
    kit::emitUsage(ev, sum(earlier_, now_));
}

Action Generation::blocked(std::string_view what, std::string_view reason) const {
    return Action::fail(
        Failure{STEPPER_E_CONTENT_BLOCKED,
                std::string(what) + " by Gemini's content filter: " + kit::presentable(reason, 100), status(),
                -1, kit::presentable(reason, 100)});
}

Action Generation::exchangeDone(const Event& ev) {
    if (unfinished_) return nextHop();
    kit::emitMeta(ev, model_, id_);
    return conclude(ev);
}

Action Generation::nextHop() {
    ++hops_;
    unfinished_ = false;
    bare_.clear();
    earlier_ = sum(earlier_, std::exchange(now_, {}));
    kit::Document body = kit::parse(identical_.body);
    kit::set(body, "continuationToken", std::exchange(token_, {}), body.GetAllocator());
    stepper::sdk::Request request = identical_;
    request.body = kit::dump(body);
    return send(std::move(request));
}

Action Generation::onRefused(Failure failure, const Value&, const Event&) {
    // The account's country or billing: another key or provider helps, another request does not.
    if (failure.provider_code == "FAILED_PRECONDITION") failure.error_class = STEPPER_E_AUTH;
    return Action::fail(std::move(failure));
}

}  // namespace gemini
