// stepper/kit/chat.hpp - the host's request (shaped as OpenAI chat completions) as small structs, and the
// words a plugin answers with: usage, finish, meta.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stepper/kit/json.hpp"
#include "stepper/kit/text.hpp"
#include "stepper/plugin.hpp"

namespace stepper::kit {

// A piece of a message: text, or an image by URL ("data:image/png;base64,..." or https), never both.
struct Part {
    std::string text, image_url;
};

struct Turn {
    std::string role;  // user, assistant or tool; system texts are collected in ChatRequest::system
    std::vector<Part> parts;
    const Value* tool_calls = nullptr;  // of an assistant: OpenAI's array
    std::string tool_call_id;           // of a tool's answer

    std::string text() const {
        std::string all;
        for (const Part& p : parts) all += p.text;
        return all;
    }
};

enum class JsonMode { None, Object, Schema };

// Pointers lead into `doc`, which moves with the struct; what is absent is the provider's default.
struct ChatRequest {
    Document doc;
    std::string model, system;  // system messages joined by blank lines
    std::vector<Turn> turns;
    bool stream = false;
    std::optional<int64_t> max_tokens, seed;
    std::optional<double> temperature, top_p;
    std::vector<std::string> stop;
    JsonMode json = JsonMode::None;
    const Value* schema = nullptr;  // JsonMode::Schema
    std::string schema_name;
    const Value* tools = nullptr;        // OpenAI's array, not empty
    const Value* tool_choice = nullptr;  // string or object
};

namespace detail {

inline std::vector<Part> readParts(const Value* content) {
    std::vector<Part> parts;
    if (!content) return parts;
    if (content->IsString()) parts.push_back({std::string(view(*content)), {}});
    if (!content->IsArray()) return parts;
    for (const Value& p : content->GetArray()) {
        if (string(p, "type") == "text") parts.push_back({std::string(string(p, "text")), {}});
        if (const Value* image = object(p, "image_url"))
            parts.push_back({{}, std::string(string(*image, "url"))});
    }
    return parts;
}

inline void readMessage(ChatRequest& to, const Value& message) {
    Turn turn;
    turn.role = string(message, "role");
    turn.parts = readParts(find(message, "content"));
    turn.tool_calls = array(message, "tool_calls");
    turn.tool_call_id = string(message, "tool_call_id");
    if (turn.role == "system" || turn.role == "developer") {
        to.system += (to.system.empty() ? "" : "\n\n") + turn.text();
    } else if (turn.role == "user" || turn.role == "assistant" || turn.role == "tool") {
        to.turns.push_back(std::move(turn));
    } else {
        throw std::invalid_argument("a message's role is none of system, developer, user, assistant, tool");
    }
}

}  // namespace detail

// Throws std::invalid_argument when the request cannot be read; `default_model` is used when it names none.
inline ChatRequest readChat(std::string_view request_json, std::string_view default_model) {
    ChatRequest r;
    r.doc = parse(request_json);
    if (!r.doc.IsObject()) throw std::invalid_argument("the request is not a JSON object");
    const Value* messages = array(r.doc, "messages");
    if (!messages || messages->Empty()) throw std::invalid_argument("the request has no messages");
    for (const Value& message : messages->GetArray()) detail::readMessage(r, message);

    r.model = string(r.doc, "model");
    if (r.model.empty()) r.model = default_model;
    r.stream = boolean(r.doc, "stream").value_or(false);
    r.max_tokens = integer(r.doc, "max_completion_tokens");
    if (!r.max_tokens) r.max_tokens = integer(r.doc, "max_tokens");
    r.seed = integer(r.doc, "seed");
    r.temperature = number(r.doc, "temperature");
    r.top_p = number(r.doc, "top_p");
    if (const Value* stop = find(r.doc, "stop")) {
        if (stop->IsString()) r.stop.emplace_back(view(*stop));
        if (stop->IsArray())
            for (const Value& word : stop->GetArray())
                if (word.IsString()) r.stop.emplace_back(view(word));
    }
    if (const Value* format = object(r.doc, "response_format")) {
        const std::string_view type = string(*format, "type");
        const Value* schema = object(*format, "json_schema");
        if (type == "json_object") r.json = JsonMode::Object;
        if (type == "json_schema" && schema) {
            r.json = JsonMode::Schema;
            r.schema = object(*schema, "schema");
            r.schema_name = string(*schema, "name");
        }
    }
    r.tools = array(r.doc, "tools");
    if (r.tools && r.tools->Empty()) r.tools = nullptr;
    r.tool_choice = find(r.doc, "tool_choice");
    return r;
}

// "data:image/png;base64,AAAA" taken apart; empty for any other URL.
struct DataUrl {
    std::string_view media_type, base64;
};
inline DataUrl readDataUrl(std::string_view url) {
    constexpr std::string_view kStart = "data:", kMark = ";base64,";
    const size_t mark = url.find(kMark);
    if (!url.starts_with(kStart) || mark == std::string_view::npos) return {};
    return {url.substr(kStart.size(), mark - kStart.size()), url.substr(mark + kMark.size())};
}

struct Usage {
    std::optional<int64_t> prompt, completion, total, reasoning, cached;
};

// Nothing when nothing is known; a missing total is the sum of the parts.
inline void emitUsage(const sdk::Event& ev, Usage u) {
    if (!u.total && u.prompt && u.completion) u.total = *u.prompt + *u.completion;
    Document doc(rapidjson::kObjectType);
    const auto put = [&](std::string_view key, const std::optional<int64_t>& n) {
        if (n && *n >= 0) set(doc, key, Value(*n), doc.GetAllocator());
    };
    put("prompt_tokens", u.prompt);
    put("completion_tokens", u.completion);
    put("total_tokens", u.total);
    put("reasoning_tokens", u.reasoning);
    put("cached_tokens", u.cached);
    if (!doc.ObjectEmpty()) ev.emit(STEPPER_OUT_USAGE, dump(doc));
}

// Model and id as the provider reported them; empty ones are left out.
inline void emitMeta(const sdk::Event& ev, std::string_view model, std::string_view id,
                     const std::vector<std::string>& warnings = {}) {
    Document doc(rapidjson::kObjectType);
    auto& a = doc.GetAllocator();
    if (!model.empty()) set(doc, "model", model, a);
    if (!id.empty()) set(doc, "id", id, a);
    if (!warnings.empty()) set(doc, "warnings", texts(warnings, a), a);
    if (!doc.ObjectEmpty()) ev.emit(STEPPER_OUT_META, dump(doc));
}

// What became of the text emitted so far; see STEPPER_OUT_META.
enum class Fate { Reasoning, Void };
inline void emitFateOfText(const sdk::Event& ev, Fate fate) {
    ev.emit(STEPPER_OUT_META,
            fate == Fate::Reasoning ? R"({"text_so_far":"reasoning"})" : R"({"text_so_far":"void"})");
}

// Any provider's finish reason in the ABI's words; what nobody knows is "other". The words are those of the
// providers' API references: OpenAI, Anthropic, Gemini (both APIs), Cohere (both versions), Mistral, Amazon
// Bedrock, watsonx, Z.ai, Hunyuan, TGI, vLLM, SGLang, Ollama.
inline std::string_view finishWord(std::string_view raw) {
    static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
        {"stop", "stop"},
        {"eos", "stop"},
        {"eos_token", "stop"},
        {"end", "stop"},
        {"end_turn", "stop"},
        {"endoftext", "stop"},
        {"stop_sequence", "stop"},
        {"stop_sequence_reached", "stop"},
        {"pause_turn", "stop"},
        {"compaction", "stop"},
        {"complete", "stop"},
        {"completed", "stop"},
        {"normal", "stop"},
        {"length", "length"},
        {"max_tokens", "length"},
        {"max_output_tokens", "length"},
        {"max_new_tokens", "length"},
        {"max_length", "length"},
        {"token_limit", "length"},
        {"time_limit", "length"},
        {"model_length", "length"},
        {"context_length", "length"},
        {"model_context_window_exceeded", "length"},
        {"continuation", "length"},
        {"incomplete", "length"},
        {"tool_calls", "tool_calls"},
        {"tool_call", "tool_calls"},
        {"tool_use", "tool_calls"},
        {"function_call", "tool_calls"},
        {"content_filter", "content_filter"},
        {"content_filtered", "content_filter"},
        {"guardrail_intervened", "content_filter"},
        {"refusal", "content_filter"},
        {"safety", "content_filter"},
        {"recitation", "content_filter"},
        {"blocklist", "content_filter"},
        {"prohibited_content", "content_filter"},
        {"spii", "content_filter"},
        {"model_armor", "content_filter"},
        {"sensitive", "content_filter"},
        {"error_toxic", "content_filter"},
        {"error", "error"},
        {"failed", "error"},
        {"network_error", "error"},
        {"abort", "error"},
        {"aborted", "error"},
        {"cancelled", "error"},
        {"not_finished", "error"},
        {"malformed_model_output", "error"},
        {"malformed_tool_use", "error"},
    };
    std::string word = lower(trim(raw));
    std::replace_if(
        word.begin(), word.end(), [](char c) { return c == '-' || c == ' '; }, '_');
    for (const auto& [theirs, ours] : kWords)
        if (theirs == word) return ours;
    return "other";
}

}  // namespace stepper::kit
