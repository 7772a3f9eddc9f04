#include "request.hpp"

#include <map>
#include <utility>

namespace gemini {
namespace {

namespace kit = stepper::kit;
using kit::Allocator;
using kit::ChatRequest;
using kit::Value;

// Gemini's contents: neighbouring parts of one role belong into one content, which matters for the answers
// to parallel function calls.
class Contents {
public:
    explicit Contents(Allocator& a) : a_(a) {}

    void add(std::string_view role, Value part) {
        if (role != role_) close();
        role_ = role;
        parts_.PushBack(part, a_);
    }

    Value take() {
        close();
        return std::move(list_);
    }

private:
    void close() {
        if (parts_.Empty()) return;
        Value content = kit::newObject();
        kit::set(content, "role", role_, a_);
        kit::set(content, "parts", std::exchange(parts_, kit::newArray()), a_);
        list_.PushBack(content, a_);
    }

    Allocator& a_;
    Value list_ = kit::newArray(), parts_ = kit::newArray();
    std::string_view role_;
};

Value wrapped(std::string_view key, Value value, Allocator& a) {
    Value object = kit::newObject();
    kit::set(object, key, std::move(value), a);
    return object;
}

Value textPart(std::string_view text, Allocator& a) { return wrapped("text", kit::text(text, a), a); }

Value imagePart(std::string_view url, Allocator& a) {
    Value data = kit::newObject();
    const kit::DataUrl inlined = kit::readDataUrl(url);
    if (inlined.base64.empty()) {
        kit::set(data, "fileUri", url, a);
        return wrapped("fileData", std::move(data), a);
    }
    kit::set(data, "mimeType", inlined.media_type, a);
    kit::set(data, "data", inlined.base64, a);
    return wrapped("inlineData", std::move(data), a);
}

// The JSON object a text holds, or `otherwise`.
Value objectIn(std::string_view text, Value otherwise, Allocator& a) {
    const kit::Document json = kit::parse(text);
    return json.IsObject() ? kit::copy(json, a) : std::move(otherwise);
}

Value callPart(const Value& tool_call, const Value& function, Allocator& a) {
    Value call = kit::newObject();
    kit::set(call, "name", kit::string(function, "name"), a);
    kit::set(call, "args", objectIn(kit::string(function, "arguments"), kit::newObject(), a), a);
    Value part = wrapped("functionCall", std::move(call), a);
    if (const Value* signature = kit::at(tool_call, "/extra_content/google/thought_signature"))
        kit::set(part, "thoughtSignature", kit::copy(*signature, a), a);
    return part;
}

Value resultPart(std::string_view function, const std::string& result, Allocator& a) {
    Value response = kit::newObject();
    kit::set(response, "name", function, a);
    Value plain = wrapped("result", kit::text(result, a), a);
    kit::set(response, "response", objectIn(result, std::move(plain), a), a);
    return wrapped("functionResponse", std::move(response), a);
}

// `preface` goes in front of the first user text.
Value contentsOf(const ChatRequest& chat, std::string_view preface, Allocator& a) {
    Contents contents(a);
    std::map<std::string_view, std::string_view> functions;  // by the id of their call
    if (!preface.empty()) contents.add("user", textPart(preface, a));
    for (const kit::Turn& turn : chat.turns) {
        if (turn.role == "tool") {
            contents.add("user", resultPart(functions[turn.tool_call_id], turn.text(), a));
            continue;
        }
        const std::string_view role = turn.role == "user" ? "user" : "model";
        for (const kit::Part& part : turn.parts) {
            if (!part.image_url.empty()) contents.add(role, imagePart(part.image_url, a));
            if (!part.text.empty()) contents.add(role, textPart(part.text, a));
        }
        if (!turn.tool_calls) continue;
        for (const Value& call : turn.tool_calls->GetArray()) {
            const Value* function = kit::object(call, "function");
            if (!function) continue;
            functions[kit::string(call, "id")] = kit::string(*function, "name");
            contents.add(role, callPart(call, *function, a));
        }
    }
    return contents.take();
}

Value generationConfig(const ChatRequest& chat, const Value& options, Allocator& a) {
    Value config = kit::newObject();
    if (chat.max_tokens) kit::set(config, "maxOutputTokens", Value(*chat.max_tokens), a);
    if (chat.temperature) kit::set(config, "temperature", Value(*chat.temperature), a);
    if (chat.top_p) kit::set(config, "topP", Value(*chat.top_p), a);
    if (chat.seed) kit::set(config, "seed", Value(*chat.seed), a);
    if (!chat.stop.empty()) kit::set(config, "stopSequences", kit::texts(chat.stop, a), a);
    const bool schema = chat.json == kit::JsonMode::Schema && kit::string(options, "json_schema") != "off";
    if (schema || chat.json == kit::JsonMode::Object)
        kit::set(config, "responseMimeType", "application/json", a);
    if (schema && chat.schema) kit::set(config, "responseJsonSchema", kit::copy(*chat.schema, a), a);
    if (const auto budget = kit::integer(options, "thinking_budget"))
        kit::set(config, "thinkingConfig", wrapped("thinkingBudget", Value(*budget), a), a);
    if (const Value* level = kit::find(options, "thinking_level"))
        kit::set(config, "thinkingConfig", wrapped("thinkingLevel", kit::copy(*level, a), a), a);
    return config;
}

Value functionDeclarations(const Value& tools, Allocator& a) {
    Value list = kit::newArray();
    for (const Value& tool : tools.GetArray()) {
        const Value* function = kit::object(tool, "function");
        if (!function) continue;
        Value declaration = kit::newObject();
        kit::set(declaration, "name", kit::string(*function, "name"), a);
        if (const Value* description = kit::find(*function, "description"))
            kit::set(declaration, "description", kit::copy(*description, a), a);
        // "parameters" would be Google's own subset, which refuses much of JSON Schema.
        if (const Value* parameters = kit::find(*function, "parameters"))
            kit::set(declaration, "parametersJsonSchema", kit::copy(*parameters, a), a);
        list.PushBack(declaration, a);
    }
    return list;
}

Value toolConfig(const Value& choice, Allocator& a) {
    Value calling = kit::newObject();
    const std::string_view word = choice.IsString() ? kit::view(choice) : "required";
    kit::set(calling, "mode", word == "required" ? "ANY" : word == "none" ? "NONE" : "AUTO", a);
    if (const Value* name = kit::at(choice, "/function/name")) {
        Value only = kit::newArray();
        only.PushBack(kit::copy(*name, a), a);
        kit::set(calling, "allowedFunctionNames", std::move(only), a);
    }
    return wrapped("functionCallingConfig", std::move(calling), a);
}

// Objects are merged member by member, everything else is replaced.
void merge(Value& to, const Value& from, Allocator& a) {
    for (const auto& [key, value] : from.GetObject()) {
        const Value* old = kit::object(to, kit::view(key));
        if (!old || !value.IsObject()) {
            kit::set(to, kit::view(key), kit::copy(value, a), a);
            continue;
        }
        Value both = kit::copy(*old, a);
        merge(both, value, a);
        kit::set(to, kit::view(key), std::move(both), a);
    }
}

}  // namespace

std::string modelsUrl(std::string_view base_url) {
    base_url = kit::withoutEndSlashes(base_url);
    const std::string_view last = base_url.substr(base_url.rfind('/') + 1);
    const bool versioned = last.starts_with("v1");
    return std::string(base_url) + (versioned ? "/models" : "/v1beta/models");
}

std::string modelPath(std::string_view model) {
    constexpr std::string_view kPrefix = "models/", kHex = "0123456789ABCDEF";
    if (model.starts_with(kPrefix)) model.remove_prefix(kPrefix.size());
    std::string path;
    for (const char c : model) {
        if (kit::isAlpha(c) || kit::isDigit(c) || c == '-' || c == '.' || c == '_') {
            path += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        path += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
    return path;
}

std::string requestBody(const ChatRequest& chat, const Value& options) {
    kit::Document body(rapidjson::kObjectType);
    Allocator& a = body.GetAllocator();
    // Gemma models refuse a system instruction, and nobody answers one alone.
    const bool as_prompt = modelPath(chat.model).starts_with("gemma") || chat.turns.empty();
    if (!as_prompt && !chat.system.empty()) {
        Value parts = kit::newArray();
        parts.PushBack(textPart(chat.system, a), a);
        kit::set(body, "systemInstruction", wrapped("parts", std::move(parts), a), a);
    }
    kit::set(body, "contents", contentsOf(chat, as_prompt ? chat.system : "", a), a);
    if (Value config = generationConfig(chat, options, a); !config.ObjectEmpty())
        kit::set(body, "generationConfig", std::move(config), a);
    if (const Value* settings = kit::array(options, "safety_settings"))
        kit::set(body, "safetySettings", kit::copy(*settings, a), a);
    if (chat.tools) {
        Value tools = kit::newArray();
        tools.PushBack(wrapped("functionDeclarations", functionDeclarations(*chat.tools, a), a), a);
        kit::set(body, "tools", std::move(tools), a);
        if (chat.tool_choice) kit::set(body, "toolConfig", toolConfig(*chat.tool_choice, a), a);
    }
    if (const Value* extra = kit::object(options, "extra_body")) merge(body, *extra, a);
    return kit::dump(body);
}

}  // namespace gemini
