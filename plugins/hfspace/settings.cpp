#include "settings.hpp"

namespace hfspace {
namespace {

constexpr std::string_view kPrompt = "{{prompt}}";

std::string withoutSlashes(std::string_view s) {
    while (s.starts_with('/')) s.remove_prefix(1);
    while (s.ends_with('/')) s.remove_suffix(1);
    return std::string(s);
}

std::vector<std::string> prefixesOf(std::string_view configured) {
    const std::string prefix = withoutSlashes(configured);
    if (prefix == "auto") return {"/gradio_api", ""};
    return {prefix.empty() ? "" : "/" + prefix};
}

bool mentionsPrompt(const Value& inputs) { return kit::contains(kit::dump(inputs), kPrompt); }

void refuseOptionsOfTheOtherMode(const Value& options, bool gradio) {
    const auto refuse = [&](std::string_view name, std::string_view mode) {
        if (kit::find(options, name))
            throw sdk::ConfigError("options." + std::string(name) +
                                   " only means something with mode: " + std::string(mode));
    };
    if (gradio) return refuse("extra_body", "infer");
    for (const std::string_view name : {"api_name", "inputs", "text_pointer", "prefix"})
        refuse(name, "gradio");
}

}  // namespace

Settings::Settings(std::string_view config_json) : config(config_json), base_url(config.baseUrl()) {
    if (base_url.empty())
        throw sdk::ConfigError("base_url is missing: the Space's own address, https://OWNER-SPACE.hf.space");
    if (kit::contains(base_url, "huggingface.co/spaces/"))
        throw sdk::ConfigError(
            "base_url is the page about the Space; its own address is https://OWNER-SPACE.hf.space");

    const Value& options = config.options();
    gradio = config.word("mode", "infer") == "gradio";
    refuseOptionsOfTheOtherMode(options, gradio);
    extra_body = kit::object(options, "extra_body");
    inputs = kit::array(options, "inputs");
    if (inputs && !mentionsPrompt(*inputs))
        throw sdk::ConfigError("options.inputs has no {{prompt}} in it, the app would never see the prompt");
    api_name = withoutSlashes(config.word("api_name", "chat"));
    text_pointer = config.word("text_pointer", "/0");
    if (!kit::Pointer(text_pointer.data(), text_pointer.size()).IsValid())
        throw sdk::ConfigError("options.text_pointer is no JSON pointer: " + text_pointer);
    prefixes = prefixesOf(config.word("prefix", "auto"));
    wake_poll_ms = static_cast<uint32_t>(config.count("wake_poll_ms", 5'000));
    wake_attempts = static_cast<int>(config.count("wake_attempts", 12));
}

sdk::Request Settings::get(std::string_view path) const {
    sdk::Request r;
    r.method = "GET";
    r.url = base_url + std::string(path);
    return r;
}

sdk::Request Settings::post(std::string_view path, const Value& body) const {
    sdk::Request r;
    r.url = base_url + std::string(path);
    r.headers = {{"content-type", "application/json"}};
    r.body = kit::dump(body);
    return r;
}

std::string promptOf(const kit::ChatRequest& chat) {
    std::string prompt = chat.system;
    for (const kit::Turn& turn : chat.turns) {
        const std::string text = turn.text();
        if (text.empty()) continue;
        if (!prompt.empty()) prompt += "\n\n";
        if (chat.turns.size() > 1)
            prompt += turn.role == "user" ? "User: " : turn.role == "tool" ? "Tool: " : "Assistant: ";
        prompt += text;
    }
    if (prompt.empty()) throw std::invalid_argument("the request has no text, which is all a Space takes");
    return prompt;
}

Value filledIn(const Value& value, std::string_view prompt, kit::Allocator& a) {
    if (value.IsString()) {
        std::string text(kit::view(value));
        for (size_t i = 0; (i = text.find(kPrompt, i)) != std::string::npos; i += prompt.size())
            text.replace(i, kPrompt.size(), prompt);
        return kit::text(text, a);
    }
    if (value.IsArray()) {
        Value list = kit::newArray();
        for (const Value& item : value.GetArray()) list.PushBack(filledIn(item, prompt, a), a);
        return list;
    }
    if (value.IsObject()) {
        Value object = kit::newObject();
        for (const auto& [name, member] : value.GetObject())
            kit::set(object, kit::view(name), filledIn(member, prompt, a), a);
        return object;
    }
    return kit::copy(value, a);
}

}  // namespace hfspace
