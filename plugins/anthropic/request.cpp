#include "request.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace anthropic {

Profile::Profile(std::string_view config_json) {
    const kit::Config config(config_json);
    base_url = config.baseUrl();
    if (base_url.ends_with("/v1")) base_url.resize(base_url.size() - 3);
    if (base_url.empty())
        throw sdk::ConfigError("base_url is missing: https://api.anthropic.com or a proxy of it");
    model = config.model();
    if (const auto set = config.word("version", ""); !set.empty()) version = set;
    max_tokens = config.count("max_tokens", max_tokens);
    send_sampling_params = config.flag("send_sampling_params", false);
    structured_output = config.flag("structured_output", false);
    if (const Value* names = kit::array(config.options(), "beta"))
        for (const Value& name : names->GetArray())
            if (name.IsString()) beta += (beta.empty() ? "" : ",") + std::string(kit::view(name));
}

sdk::Request Profile::request(std::string_view path) const {
    sdk::Request r;
    r.url = base_url + std::string(path);
    r.auth_mode = STEPPER_AUTH_HEADER;
    r.auth_name = "x-api-key";
    r.headers = {{"content-type", "application/json"}, {"anthropic-version", version}};
    if (!beta.empty()) r.headers.emplace_back("anthropic-beta", beta);
    return r;
}

Value objectOf(std::initializer_list<std::pair<std::string_view, std::string_view>> members, Allocator& a) {
    Value object = kit::newObject();
    for (const auto& [key, value] : members) kit::set(object, key, value, a);
    return object;
}

namespace {

Value imageBlock(std::string_view url, Allocator& a) {
    const kit::DataUrl data = kit::readDataUrl(url);
    Value block = objectOf({{"type", "image"}}, a);
    kit::set(block, "source",
             data.base64.empty()
                 ? objectOf({{"type", "url"}, {"url", url}}, a)
                 : objectOf({{"type", "base64"}, {"media_type", data.media_type}, {"data", data.base64}}, a),
             a);
    return block;
}

// Empty texts are left out: the API refuses them.
void addParts(Value& blocks, const std::vector<kit::Part>& parts, Allocator& a) {
    for (const kit::Part& part : parts) {
        if (!part.image_url.empty())
            blocks.PushBack(imageBlock(part.image_url, a), a);
        else if (!part.text.empty())
            blocks.PushBack(objectOf({{"type", "text"}, {"text", part.text}}, a), a);
    }
}

void addToolUses(Value& blocks, const Value& tool_calls, Allocator& a) {
    for (const Value& call : tool_calls.GetArray()) {
        const Value* function = kit::object(call, "function");
        if (!function) continue;
        Value block = objectOf(
            {{"type", "tool_use"}, {"id", kit::string(call, "id")}, {"name", kit::string(*function, "name")}},
            a);
        const Document arguments = kit::parse(kit::string(*function, "arguments"));
        kit::set(block, "input", arguments.IsObject() ? kit::copy(arguments, a) : kit::newObject(), a);
        blocks.PushBack(block, a);
    }
}

// Turns as content blocks; neighbours of one role become one message, a tool's answer belongs to the user.
Value messagesOf(const std::vector<kit::Turn>& turns, Allocator& a) {
    Value messages = kit::newArray();
    for (const kit::Turn& turn : turns) {
        const std::string_view role = turn.role == "assistant" ? "assistant" : "user";
        Value blocks = kit::newArray();
        if (turn.role == "tool") {
            const std::string text = turn.text();
            blocks.PushBack(
                objectOf({{"type", "tool_result"}, {"tool_use_id", turn.tool_call_id}, {"content", text}}, a),
                a);
        } else {
            addParts(blocks, turn.parts, a);
            if (turn.tool_calls) addToolUses(blocks, *turn.tool_calls, a);
        }
        if (blocks.Empty()) continue;
        if (!messages.Empty() && kit::string(messages[messages.Size() - 1], "role") == role) {
            for (Value& block : blocks.GetArray())
                messages[messages.Size() - 1]["content"].PushBack(block, a);
            continue;
        }
        Value message = objectOf({{"role", role}}, a);
        kit::set(message, "content", std::move(blocks), a);
        messages.PushBack(message, a);
    }
    if (messages.Empty()) throw std::invalid_argument("the request has no text to send");
    return messages;
}

Value toolsOf(const Value& openai, Allocator& a) {
    Value tools = kit::newArray();
    for (const Value& tool : openai.GetArray()) {
        const Value* function = kit::object(tool, "function");
        if (!function) continue;
        Value out = objectOf({{"name", kit::string(*function, "name")}}, a);
        if (const auto text = kit::string(*function, "description"); !text.empty())
            kit::set(out, "description", text, a);
        const Value* parameters = kit::object(*function, "parameters");
        kit::set(out, "input_schema",
                 parameters ? kit::copy(*parameters, a) : objectOf({{"type", "object"}}, a), a);
        tools.PushBack(out, a);
    }
    return tools;
}

Value toolChoiceOf(const Value& openai, Allocator& a) {
    if (const Value* name = kit::at(openai, "/function/name"); name && name->IsString())
        return objectOf({{"type", "tool"}, {"name", kit::view(*name)}}, a);
    const std::string_view word = openai.IsString() ? kit::view(openai) : "auto";
    return objectOf({{"type", word == "required" ? "any" : word == "none" ? "none" : "auto"}}, a);
}

}  // namespace

Document messagesRequest(const Profile& profile, const kit::ChatRequest& request,
                         std::vector<std::string>& warnings) {
    Document body(rapidjson::kObjectType);
    auto& a = body.GetAllocator();
    kit::set(body, "model", request.model, a);
    kit::set(body, "max_tokens", Value(request.max_tokens.value_or(profile.max_tokens)), a);
    if (!request.system.empty()) kit::set(body, "system", request.system, a);
    kit::set(body, "messages", messagesOf(request.turns, a), a);
    if (request.stream) kit::set(body, "stream", Value(true), a);

    Value stop = kit::newArray();
    for (const std::string& word : request.stop)
        if (!kit::trim(word).empty()) stop.PushBack(kit::text(word, a), a);  // blank ones are refused
    if (!stop.Empty()) kit::set(body, "stop_sequences", std::move(stop), a);

    // Some models take either of the two but not both.
    const bool send_temperature = profile.send_sampling_params && request.temperature;
    const bool send_top_p = profile.send_sampling_params && request.top_p && !request.temperature;
    if (send_temperature) kit::set(body, "temperature", Value(std::min(*request.temperature, 1.0)), a);
    if (send_top_p) kit::set(body, "top_p", Value(*request.top_p), a);
    if (request.temperature && !send_temperature) warnings.push_back("temperature was left out");
    if (request.top_p && !send_top_p) warnings.push_back("top_p was left out");
    if (request.seed) warnings.push_back("seed was left out, the API has none");

    if (request.schema && profile.structured_output) {
        Value format = objectOf({{"type", "json_schema"}}, a);
        kit::set(format, "schema", kit::copy(*request.schema, a), a);
        Value config = kit::newObject();
        kit::set(config, "format", std::move(format), a);
        kit::set(body, "output_config", std::move(config), a);
    }
    if (request.tools) kit::set(body, "tools", toolsOf(*request.tools, a), a);
    if (request.tools && request.tool_choice)
        kit::set(body, "tool_choice", toolChoiceOf(*request.tool_choice, a), a);
    return body;
}

}  // namespace anthropic
