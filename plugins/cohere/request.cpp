#include "request.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace cohere {
namespace {

namespace kit = stepper::kit;
using kit::Allocator;
using kit::ChatRequest;
using kit::Document;
using kit::Value;

// Cohere takes a schema only for an object that requires something; the host checks the answer anyway.
bool takesSchema(const Value* schema) {
    const Value* required = schema ? kit::array(*schema, "required") : nullptr;
    return required && !required->Empty() && kit::string(*schema, "type") == "object";
}

void putFormat(Document& body, const ChatRequest& chat, std::string_view schema_key) {
    const bool schema = chat.json == kit::JsonMode::Schema && takesSchema(chat.schema);
    if (!schema && chat.json != kit::JsonMode::Object) return;
    Allocator& a = body.GetAllocator();
    Value format = kit::newObject();
    kit::set(format, "type", "json_object", a);
    if (schema) kit::set(format, schema_key, kit::copy(*chat.schema, a), a);
    kit::set(body, "response_format", std::move(format), a);
}

// What both versions call the same.
void putCommon(Document& body, const ChatRequest& chat, const Value& options) {
    Allocator& a = body.GetAllocator();
    kit::set(body, "model", chat.model, a);
    kit::set(body, "stream", Value(chat.stream), a);
    if (chat.max_tokens) kit::set(body, "max_tokens", Value(*chat.max_tokens), a);
    if (chat.temperature) kit::set(body, "temperature", Value(std::clamp(*chat.temperature, 0.0, 1.0)), a);
    if (chat.top_p) kit::set(body, "p", Value(std::clamp(*chat.top_p, 0.01, 0.99)), a);
    if (const auto top_k = kit::integer(chat.doc, "top_k")) kit::set(body, "k", Value(*top_k), a);
    if (chat.seed) kit::set(body, "seed", Value(*chat.seed), a);
    if (!chat.stop.empty()) kit::set(body, "stop_sequences", kit::texts(chat.stop, a), a);
    // Beside tools Cohere refuses it.
    if (const auto mode = kit::string(options, "safety_mode"); !mode.empty() && !chat.tools)
        kit::set(body, "safety_mode", mode, a);
}

std::string finished(Document& body, const Value& options) {
    kit::setAll(body, kit::object(options, "extra_body"), body.GetAllocator());
    return kit::dump(body);
}

Value contentOf(const kit::Turn& turn, Allocator& a) {
    const bool pictures = std::any_of(turn.parts.begin(), turn.parts.end(),
                                      [](const kit::Part& p) { return !p.image_url.empty(); });
    if (!pictures) return kit::text(turn.text(), a);
    Value content = kit::newArray();
    for (const kit::Part& part : turn.parts) {
        Value item = kit::newObject();
        if (part.image_url.empty()) {
            kit::set(item, "type", "text", a);
            kit::set(item, "text", part.text, a);
        } else {
            Value image = kit::newObject();
            kit::set(image, "url", part.image_url, a);
            kit::set(item, "type", "image_url", a);
            kit::set(item, "image_url", std::move(image), a);
        }
        content.PushBack(item, a);
    }
    return content;
}

// Only the members Cohere knows: another provider may have left its own in the conversation.
Value callsOf(const Value& tool_calls, Allocator& a) {
    Value list = kit::newArray();
    for (const Value& from : tool_calls.GetArray()) {
        Value call = kit::newObject();
        for (const char* key : {"id", "type", "function"})
            if (const Value* member = kit::find(from, key)) kit::set(call, key, kit::copy(*member, a), a);
        list.PushBack(call, a);
    }
    return list;
}

Value messageOf(const kit::Turn& turn, Allocator& a) {
    Value message = kit::newObject();
    kit::set(message, "role", turn.role, a);
    if (!turn.tool_calls) {
        kit::set(message, "content", contentOf(turn, a), a);
        if (!turn.tool_call_id.empty()) kit::set(message, "tool_call_id", turn.tool_call_id, a);
        return message;
    }
    if (const std::string plan = turn.text(); !plan.empty()) kit::set(message, "tool_plan", plan, a);
    kit::set(message, "tool_calls", callsOf(*turn.tool_calls, a), a);
    return message;
}

// Cohere cannot force one function out of several, so a forced one is the only one it gets to see.
void putTools(Document& body, const ChatRequest& chat) {
    Allocator& a = body.GetAllocator();
    const Value* forced = chat.tool_choice ? kit::at(*chat.tool_choice, "/function/name") : nullptr;
    Value tools = kit::newArray();
    for (const Value& tool : chat.tools->GetArray()) {
        const Value* name = kit::at(tool, "/function/name");
        if (!forced || (name && *name == *forced)) tools.PushBack(kit::copy(tool, a), a);
    }
    kit::set(body, "tools", std::move(tools), a);
    const bool word = chat.tool_choice && chat.tool_choice->IsString();
    const std::string_view choice = forced ? "required" : word ? kit::view(*chat.tool_choice) : "auto";
    if (choice == "required") kit::set(body, "tool_choice", "REQUIRED", a);
    if (choice == "none") kit::set(body, "tool_choice", "NONE", a);
}

}  // namespace

std::string serverUrl(std::string_view base_url) {
    base_url = kit::withoutEndSlashes(base_url);
    for (const std::string_view version : {"/v1", "/v2"})
        if (base_url.ends_with(version)) base_url.remove_suffix(version.size());
    return std::string(base_url);
}

std::string bodyV2(const ChatRequest& chat, const Value& options) {
    Document body(rapidjson::kObjectType);
    Allocator& a = body.GetAllocator();
    putCommon(body, chat, options);
    Value messages = kit::newArray();
    if (!chat.system.empty()) {
        Value system = kit::newObject();
        kit::set(system, "role", "system", a);
        kit::set(system, "content", chat.system, a);
        messages.PushBack(system, a);
    }
    for (const kit::Turn& turn : chat.turns) messages.PushBack(messageOf(turn, a), a);
    kit::set(body, "messages", std::move(messages), a);
    putFormat(body, chat, "json_schema");
    if (chat.tools) putTools(body, chat);
    if (const auto budget = kit::integer(options, "thinking_budget")) {
        Value thinking = kit::newObject();
        kit::set(thinking, "type", *budget > 0 ? "enabled" : "disabled", a);
        if (*budget > 0) kit::set(thinking, "token_budget", Value(*budget), a);
        kit::set(body, "thinking", std::move(thinking), a);
    }
    return finished(body, options);
}

std::string bodyV1(const ChatRequest& chat, const Value& options) {
    if (chat.tools) throw std::invalid_argument("tools need api: v2");
    if (chat.turns.empty() || chat.turns.back().role != "user")
        throw std::invalid_argument("api: v1 answers a user message only, and the last message is none");
    Document body(rapidjson::kObjectType);
    Allocator& a = body.GetAllocator();
    putCommon(body, chat, options);
    Value history = kit::newArray();
    for (const kit::Turn& turn : chat.turns) {
        if (turn.role == "tool") throw std::invalid_argument("tool messages need api: v2");
        for (const kit::Part& part : turn.parts)
            if (!part.image_url.empty()) throw std::invalid_argument("pictures need api: v2");
        if (&turn == &chat.turns.back()) break;
        Value message = kit::newObject();
        kit::set(message, "role", turn.role == "user" ? "USER" : "CHATBOT", a);
        kit::set(message, "message", turn.text(), a);
        history.PushBack(message, a);
    }
    kit::set(body, "message", chat.turns.back().text(), a);
    if (!history.Empty()) kit::set(body, "chat_history", std::move(history), a);
    if (!chat.system.empty()) kit::set(body, "preamble", chat.system, a);
    putFormat(body, chat, "schema");
    return finished(body, options);
}

}  // namespace cohere
