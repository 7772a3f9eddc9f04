#include "core/prompt/template.h"

#include <charconv>
#include <utility>

#include "core/base/text.h"
#include "core/secrets/redact.h"

namespace stepper::prompt {
namespace {

Error invalid(std::string message) { return {ErrorClass::InvalidRequest, std::move(message)}; }

const json::Value* present(const json::Value* v) { return v && !v->IsNull() ? v : nullptr; }

const json::Value* step(json::Finder& finder, const json::Value& v, std::string_view segment) {
    if (!v.IsArray()) return finder.find(v, segment);
    rapidjson::SizeType index = 0;
    const char* end = segment.data() + segment.size();
    const auto [stop, problem] = std::from_chars(segment.data(), end, index);
    return problem == std::errc{} && stop == end && index < v.Size() ? &v[index] : nullptr;
}

const json::Value* payloadOf(const PromptInput& input) {
    const json::Value* own = input.prompt ? present(json::find(*input.prompt, "payload")) : nullptr;
    return own ? own : present(input.payload);
}

std::string asText(const json::Value& v) { return v.IsString() ? std::string(json::view(v)) : json::dump(v); }

// The string member, "" when absent or blank.
Result<std::string_view> textMember(const json::Value& prompt, std::string_view key) {
    const json::Value* v = present(json::find(prompt, key));
    if (!v) return std::string_view{};
    if (!v->IsString()) return invalid("Invalid prompt." + std::string(key) + ": expected string");
    return trim(json::view(*v)).empty() ? std::string_view{} : json::view(*v);
}

Result<void> renderObject(const PromptInput& input, Bounded& out) {
    const json::Value& prompt = *input.prompt;
    const auto instructions = textMember(prompt, "instructions");
    if (!instructions) return instructions.error();
    const auto source = textMember(prompt, "template");
    if (!source) return source.error();
    const json::Value* payload = payloadOf(input);

    out.add(*instructions);
    if (!source->empty()) {
        if (!instructions->empty()) out.add("\n\n");
        Placeholders(input).fillIn(*source, out);
    } else if (payload && !instructions->empty()) {
        out.add("\n\nInput (JSON):\n");
        out.add(json::dumpPretty(*payload));
    } else if (payload) {
        out.add(asText(*payload));
    }
    return {};
}

}  // namespace

Placeholders::Placeholders(const PromptInput& input)
    : payload_(payloadOf(input)),
      variables_(input.prompt ? present(json::find(*input.prompt, "variables")) : nullptr),
      metadata_(present(input.metadata)) {}

const json::Value* Placeholders::root(std::string_view name) const {
    if (name == "payload") return payload_;
    if (name == "variables") return variables_;
    if (name == "metadata") return metadata_;
    return nullptr;
}

const json::Value* Placeholders::resolve(std::string_view path) {
    size_t dot = path.find('.');
    const json::Value* v = root(path.substr(0, dot));
    while (v && dot != std::string_view::npos) {
        path.remove_prefix(dot + 1);
        dot = path.find('.');
        v = step(finder_, *v, path.substr(0, dot));
    }
    return v;
}

void Placeholders::fillIn(std::string_view source, Bounded& out) {
    while (!out.overflowed()) {
        const size_t close = source.find("}}");
        // The innermost opening belongs to this closing; braces before it are text ("{{{ payload.a }}}").
        const size_t open = close == std::string_view::npos ? close : source.substr(0, close).rfind("{{");
        if (close == std::string_view::npos) return out.add(source);
        if (open == std::string_view::npos) {
            out.add(source.substr(0, close + 2));
        } else {
            out.add(source.substr(0, open));
            const json::Value* v = resolve(trim(source.substr(open + 2, close - open - 2)));
            if (v) out.add(asText(*v));
        }
        source.remove_prefix(close + 2);
    }
}

Result<void> checkPrompt(const json::Value* prompt) {
    if (!present(prompt)) return invalid("Missing required field: prompt");
    if (!prompt->IsString() && !prompt->IsObject())
        return invalid("Invalid prompt: expected string or preset prompt object");
    return {};
}

Result<std::string> renderPrompt(const PromptInput& input, Redaction redaction, size_t max_bytes) {
    if (auto checked = checkPrompt(input.prompt); !checked) return std::move(checked).error();
    Bounded out(max_bytes);
    if (input.prompt->IsString()) {
        out.add(json::view(*input.prompt));
    } else if (auto rendered = renderObject(input, out); !rendered) {
        return std::move(rendered).error();
    }
    if (out.overflowed())
        return invalid("Rendered prompt is longer than " + std::to_string(max_bytes) +
                       " bytes. Shorten the template, the payload or the values it names.");
    std::string text = std::move(out).take();
    if (isBlank(text)) return invalid("Rendered prompt is empty. Provide a non-empty prompt or template.");
    return redaction == Redaction::On ? secrets::redact(text) : text;
}

}  // namespace stepper::prompt
