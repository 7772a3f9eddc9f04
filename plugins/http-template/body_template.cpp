#include "body_template.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace http_template {
namespace {

constexpr std::array<std::string_view, 9> kNames = {"messages",    "prompt", "system", "model", "max_tokens",
                                                    "temperature", "stop",   "seed",   "schema"};

// A literal text, or the name of a placeholder.
struct Piece {
    std::string_view text;
    bool placeholder = false;
};

// nullopt when a "{{" has no "}}".
std::optional<std::vector<Piece>> piecesOf(std::string_view s) {
    std::vector<Piece> pieces;
    while (!s.empty()) {
        const size_t open = s.find("{{");
        if (open != 0) pieces.push_back({s.substr(0, open), false});
        if (open == std::string_view::npos) break;
        const size_t close = s.find("}}", open);
        if (close == std::string_view::npos) return std::nullopt;
        pieces.push_back({kit::trim(s.substr(open + 2, close - open - 2)), true});
        s.remove_prefix(close + 2);
    }
    return pieces;
}

// Calls visit(string) for every string value in `v`.
template <class Visit>
void forEachString(const Value& v, const Visit& visit) {
    if (v.IsString()) visit(kit::view(v));
    if (v.IsArray())
        for (const Value& item : v.GetArray()) forEachString(item, visit);
    if (v.IsObject())
        for (const auto& [name, member] : v.GetObject()) forEachString(member, visit);
}

void checkText(std::string_view text, std::string_view option) {
    const auto pieces = piecesOf(text);
    if (!pieces) throw sdk::ConfigError(std::string(option) + " has a {{ without its }}");
    for (const Piece& piece : *pieces) {
        if (!piece.placeholder || std::find(kNames.begin(), kNames.end(), piece.text) != kNames.end())
            continue;
        std::string known;
        for (const std::string_view name : kNames) known += (known.empty() ? "" : ", ") + std::string(name);
        throw sdk::ConfigError(std::string(option) + " has the unknown placeholder {{" +
                               std::string(piece.text) + "}}; known are " + known);
    }
}

std::string promptOf(const kit::ChatRequest& chat, bool with_system) {
    std::string prompt = with_system ? chat.system : "";
    for (const kit::Turn& turn : chat.turns) {
        const std::string text = turn.text();
        if (text.empty()) continue;
        if (!prompt.empty()) prompt += "\n\n";
        if (chat.turns.size() > 1)
            prompt += turn.role == "user" ? "User: " : turn.role == "tool" ? "Tool: " : "Assistant: ";
        prompt += text;
    }
    return prompt;
}

Value messagesOf(const kit::ChatRequest& chat, bool with_system, kit::Allocator& a) {
    Value list = kit::newArray();
    for (const Value& message : kit::array(chat.doc, "messages")->GetArray()) {
        const std::string_view role = kit::string(message, "role");
        if (with_system || (role != "system" && role != "developer")) list.PushBack(kit::copy(message, a), a);
    }
    return list;
}

std::string percentEncoded(std::string_view s) {
    constexpr std::string_view kPlain = "-._~/@:", kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : s) {
        const auto byte = static_cast<unsigned char>(c);
        if (kit::isAlpha(c) || kit::isDigit(c) || kPlain.find(c) != std::string_view::npos)
            out += c;
        else
            out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
    return out;
}

template <class Encode>
std::string replaced(std::string_view tmpl, const Value& values, const Encode& encode) {
    const auto pieces = piecesOf(tmpl);
    if (!pieces) return std::string(tmpl);
    std::string out;
    for (const Piece& piece : *pieces) {
        const Value* value = piece.placeholder ? kit::find(values, piece.text) : nullptr;
        if (!piece.placeholder) out += piece.text;
        if (value) out += encode(value->IsString() ? std::string(kit::view(*value)) : kit::dump(*value));
    }
    return out;
}

}  // namespace

void checkPlaceholders(const Value& tmpl, std::string_view option) {
    forEachString(tmpl, [&](std::string_view text) { checkText(text, option); });
}

bool mentions(const Value& tmpl, std::string_view name) {
    bool found = false;
    forEachString(tmpl, [&](std::string_view text) {
        for (const Piece& piece : piecesOf(text).value_or(std::vector<Piece>{}))
            found = found || (piece.placeholder && piece.text == name);
    });
    return found;
}

Document valuesOf(const kit::ChatRequest& chat, bool system_apart) {
    Document values(rapidjson::kObjectType);
    auto& a = values.GetAllocator();
    const auto put = [&](std::string_view name, std::string_view text) {
        if (!text.empty()) kit::set(values, name, text, a);
    };
    put("prompt", promptOf(chat, !system_apart));
    put("system", chat.system);
    put("model", chat.model);
    kit::set(values, "messages", messagesOf(chat, !system_apart, a), a);
    if (chat.max_tokens) kit::set(values, "max_tokens", Value(*chat.max_tokens), a);
    if (chat.temperature) kit::set(values, "temperature", Value(*chat.temperature), a);
    if (chat.seed) kit::set(values, "seed", Value(*chat.seed), a);
    if (chat.schema) kit::set(values, "schema", kit::copy(*chat.schema, a), a);
    if (!chat.stop.empty()) {
        Value words = kit::newArray();
        for (const std::string& word : chat.stop) words.PushBack(kit::text(word, a), a);
        kit::set(values, "stop", std::move(words), a);
    }
    return values;
}

std::optional<Value> filledIn(const Value& tmpl, const Value& values, kit::Allocator& a) {
    if (tmpl.IsString()) {
        const auto pieces = piecesOf(kit::view(tmpl));
        if (!pieces || pieces->size() != 1 || !pieces->front().placeholder)
            return kit::text(filledInText(kit::view(tmpl), values), a);
        const Value* value = kit::find(values, pieces->front().text);
        return value ? std::optional(kit::copy(*value, a)) : std::nullopt;
    }
    if (tmpl.IsArray()) {
        Value list = kit::newArray();
        for (const Value& item : tmpl.GetArray())
            if (auto filled = filledIn(item, values, a)) list.PushBack(*filled, a);
        return list;
    }
    if (tmpl.IsObject()) {
        Value object = kit::newObject();
        for (const auto& [name, member] : tmpl.GetObject())
            if (auto filled = filledIn(member, values, a))
                kit::set(object, kit::view(name), std::move(*filled), a);
        return object;
    }
    return kit::copy(tmpl, a);
}

std::string filledInText(std::string_view tmpl, const Value& values) {
    return replaced(tmpl, values, [](std::string text) { return text; });
}

std::string filledInPath(std::string_view tmpl, const Value& values) {
    return replaced(tmpl, values, [](const std::string& text) { return percentEncoded(text); });
}

}  // namespace http_template
