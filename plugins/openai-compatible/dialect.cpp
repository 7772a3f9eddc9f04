#include "dialect.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

namespace compatible {
namespace {

void rename(Document& body, std::string_view from, std::string_view to) {
    const Value* value = kit::find(body, from);
    if (!value || from == to) return;
    Value kept = kit::copy(*value, body.GetAllocator());
    kit::remove(body, from);
    if (!to.empty()) kit::set(body, to, std::move(kept), body.GetAllocator());
}

// True when `name` occurs in `text` as a word of its own.
bool names(std::string_view text, std::string_view name) {
    const auto in_word = [&](size_t i) {
        return i < text.size() && (kit::isAlpha(text[i]) || kit::isDigit(text[i]) || text[i] == '_');
    };
    for (size_t i = text.find(name); i != std::string_view::npos; i = text.find(name, i + 1))
        if (!in_word(i - 1) && !in_word(i + name.size())) return true;
    return false;
}

bool saysAny(std::string_view text, std::initializer_list<std::string_view> phrases) {
    return std::any_of(phrases.begin(), phrases.end(),
                       [&](std::string_view phrase) { return kit::contains(text, phrase); });
}

// The server knows the parameter but not this value of it: what was asked is for the caller to change.
bool isAboutValue(std::string_view complaint) {
    return saysAny(complaint, {"too large", "too high", "too big", "too small", "at most", "at least",
                               "less than", "greater than", "above maximum", "below minimum", "exceed",
                               "out of range", "between", "<=", ">=", "maximum value", "minimum value"});
}

bool isAboutName(std::string_view complaint) {
    return saysAny(complaint, {"unsupported", "not supported", "not support ", "unknown", "unrecognized",
                               "unexpected", "extra ", "extra_", "not permitted", "not allowed"});
}

}  // namespace

Document dialect(const Profile& profile, kit::ChatRequest request, std::vector<std::string>& warnings) {
    Document body = std::move(request.doc);
    auto& a = body.GetAllocator();
    if (!request.model.empty()) kit::set(body, "model", request.model, a);

    const std::string_view limit = profile.word("max_tokens_field", "max_tokens");
    rename(body, "max_completion_tokens", limit);
    rename(body, "max_tokens", limit);
    rename(body, "seed", profile.word("seed_field", "seed"));

    const std::string_view system_role = profile.word("system_role", "system");
    for (Value& message : body["messages"].GetArray())
        if (const auto role = kit::string(message, "role"); role == "system" || role == "developer")
            kit::set(message, "role", system_role, a);

    const std::string_view json_mode = profile.word("json_mode", "schema");
    if (request.json == kit::JsonMode::Schema && json_mode == "object") {
        Value format = kit::newObject();
        kit::set(format, "type", "json_object", a);
        kit::set(body, "response_format", std::move(format), a);
        warnings.push_back(
            "response_format was reduced to json_object, the schema is not enforced by the provider");
    } else if (request.json != kit::JsonMode::None && json_mode == "none") {
        kit::remove(body, "response_format");
        warnings.push_back("response_format was left out, the provider does not enforce JSON");
    }

    kit::remove(body, "stream_options");
    if (request.stream && profile.flag("stream_options", true)) {
        Value include_usage = kit::newObject();
        kit::set(include_usage, "include_usage", Value(true), a);
        kit::set(body, "stream_options", std::move(include_usage), a);
    }
    if (const Value* drop = kit::array(profile.options(), "drop_params"))
        for (const Value& name : drop->GetArray())
            if (name.IsString()) kit::remove(body, kit::view(name));
    kit::setAll(body, kit::object(profile.options(), "extra_body"), a);
    return body;
}

std::string concede(Document& body, std::string_view complaint) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kReplacements = {{
        {"stream_options", ""},
        {"response_format", ""},
        {"seed", ""},
        {"random_seed", ""},
        {"temperature", ""},
        {"top_p", ""},
        {"max_tokens", "max_completion_tokens"},
        {"max_completion_tokens", "max_tokens"},
    }};
    const std::string text = kit::lower(complaint);
    if (isAboutValue(text)) return {};
    for (const auto& [name, instead] : kReplacements) {
        if (!kit::find(body, name) || !names(text, name)) continue;
        if (!instead.empty() && !isAboutName(text)) continue;
        rename(body, name, instead);
        const std::string done = instead.empty() ? "without it" : "as " + std::string(instead);
        return "the provider refused " + std::string(name) + ", it was sent again " + done;
    }
    return {};
}

}  // namespace compatible
