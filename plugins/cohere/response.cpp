#include "response.hpp"

#include <cmath>
#include <optional>

namespace cohere {
namespace {

namespace kit = stepper::kit;
namespace sdk = stepper::sdk;
using kit::Value;
using sdk::Action;
using sdk::Event;
using sdk::Failure;

// Counts come as floats as well.
std::optional<int64_t> count(const Value& from, std::string_view key) {
    const auto n = kit::number(from, key);
    return n && *n >= 0 && *n < 1e15 ? std::optional<int64_t>(std::llround(*n)) : std::nullopt;
}

// `tokens` is what the model saw, template included; `billed_units` leaves that out.
kit::Usage usageOf(const Value& usage) {
    const Value* tokens = kit::object(usage, "tokens");
    if (!tokens) tokens = kit::object(usage, "billed_units");
    if (!tokens) return {};
    kit::Usage out;
    out.prompt = count(*tokens, "input_tokens");
    out.completion = count(*tokens, "output_tokens");
    out.reasoning = count(*tokens, "reasoning_tokens");
    out.cached = count(usage, "cached_tokens");
    return out;
}

// What a finish reason stands for that is no finish.
std::optional<Failure> failureOf(std::string_view reason, const Value& end, int status,
                                 const kit::Headers& headers) {
    const auto failure = [&](int32_t error_class, const char* message) {
        return Failure{error_class, message, status, -1, std::string(reason)};
    };
    if (reason == "TIMEOUT")
        return failure(STEPPER_E_TIMEOUT, "Cohere ran out of time half-way through the answer");
    if (reason == "ERROR_LIMIT") return failure(STEPPER_E_CONTEXT_TOO_LONG, "the context limit was reached");
    if (reason == "ERROR_TOXIC")
        return failure(STEPPER_E_CONTENT_BLOCKED, "the answer was withheld by Cohere's content filter");
    if (reason == "ERROR" || kit::isErrorBody(end)) return kit::classifyInside(status, headers, end);
    return std::nullopt;
}

}  // namespace

Action Answer::onWhole(const Value& json, const Event& ev) {
    // Where an answer has an object or nothing, a refusal has its text.
    if (!kit::string(json, "message").empty())
        return onRefused(kit::classifyInside(status(), headers(), json), json, ev);
    Action action = onAnswer(json, ev);
    return action.kind == STEPPER_CONTINUE ? conclude(ev) : action;
}

Action Answer::ended(const Value& end, const Value* usage, const Event& ev) {
    if (usage) kit::emitUsage(ev, usageOf(*usage));
    kit::emitMeta(ev, model_, id_, warnings_);
    const std::string_view reason = kit::string(end, "finish_reason");
    if (auto failure = failureOf(reason, end, status(), headers())) return Action::fail(std::move(*failure));
    if (!reason.empty()) finish(ev, reason);
    return Action::more();
}

Action AnswerV2::onAnswer(const Value& json, const Event& ev) {
    id_ = kit::string(json, "id");
    if (const Value* message = kit::object(json, "message")) {
        reasoning(ev, kit::string(*message, "tool_plan"));
        if (const Value* parts = kit::array(*message, "content"))
            for (const Value& part : parts->GetArray()) content(part, ev);
        if (const Value* calls = kit::array(*message, "tool_calls"); calls && !calls->Empty())
            toolCall(ev, kit::dump(*calls));
    }
    return ended(json, kit::object(json, "usage"), ev);
}

Action AnswerV2::onChunk(std::string_view name, const Value& json, const Event& ev) {
    const std::string_view told = kit::string(json, "type"), type = told.empty() ? name : told;
    if (type.empty()) return onWhole(json, ev);
    if (type == "message-start") id_ = kit::string(json, "id");
    if (const Value* part = kit::at(json, "/delta/message/content")) content(*part, ev);
    if (const Value* message = kit::at(json, "/delta/message"))
        reasoning(ev, kit::string(*message, "tool_plan"));
    if (const Value* call = kit::at(json, "/delta/message/tool_calls"); call && call->IsObject()) {
        const Value* function = kit::object(*call, "function");
        if (type == "tool-call-start") {
            call_id_ = kit::string(*call, "id");
            call_name_ = function ? kit::string(*function, "name") : "";
        }
        if (function) call_arguments_ += kit::string(*function, "arguments");
    }
    if (type == "tool-call-end") emitCall(ev);
    const Value* delta = kit::object(json, "delta");
    if (type == "message-end" && delta) return ended(*delta, kit::object(*delta, "usage"), ev);
    return Action::more();
}

void AnswerV2::content(const Value& part, const Event& ev) {
    reasoning(ev, kit::string(part, "thinking"));
    text(ev, kit::string(part, "text"));
}

void AnswerV2::emitCall(const Event& ev) {
    kit::Document out(rapidjson::kObjectType);
    auto& a = out.GetAllocator();
    kit::set(out, "id", call_id_, a);
    kit::set(out, "type", "function", a);
    Value function = kit::newObject();
    kit::set(function, "name", call_name_, a);
    const std::string arguments = std::exchange(call_arguments_, {});
    kit::set(function, "arguments", arguments.empty() ? "{}" : arguments, a);
    kit::set(out, "function", std::move(function), a);
    toolCall(ev, kit::dump(out));
}

void AnswerV1::describe(const Value& response) {
    if (const auto id = kit::string(response, "generation_id"); !id.empty()) id_ = id;
    const Value* warnings = kit::at(response, "/meta/warnings");
    if (!warnings || !warnings->IsArray()) return;
    for (const Value& warning : warnings->GetArray())
        if (warning.IsString()) warnings_.push_back(kit::presentable(kit::view(warning)));
}

Action AnswerV1::onAnswer(const Value& json, const Event& ev) {
    describe(json);
    text(ev, kit::string(json, "text"));
    return ended(json, kit::object(json, "meta"), ev);
}

Action AnswerV1::onChunk(std::string_view, const Value& json, const Event& ev) {
    const std::string_view type = kit::string(json, "event_type");
    if (type.empty()) return onWhole(json, ev);
    describe(json);
    if (type == "text-generation") text(ev, kit::string(json, "text"));
    if (type != "stream-end") return Action::more();
    const Value* response = kit::object(json, "response");
    if (response) describe(*response);
    return ended(json, response ? kit::object(*response, "meta") : nullptr, ev);
}

}  // namespace cohere
