#include "answer.hpp"

#include <string_view>

namespace hfspace {
namespace {

// An app's thoughts and tool runs are assistant messages too, but have a title.
bool isAnswer(const Value& message) {
    return kit::string(message, "role") == "assistant" && !kit::at(message, "/metadata/title");
}

std::optional<std::string> lastAnswer(const Value& history) {
    for (auto i = history.Size(); i-- > 0;)
        if (isAnswer(history[i])) return gradioText(history[i]);
    return std::nullopt;
}

// The content of a message as a list: [{"type": "text", "text": "..."}, ...]
std::optional<std::string> joinedParts(const Value& parts) {
    std::string all;
    for (const Value& part : parts.GetArray()) {
        if (!part.IsString() && !kit::find(part, "text")) return std::nullopt;
        all += part.IsString() ? kit::view(part) : kit::string(part, "text");
    }
    return all;
}

}  // namespace

std::string inferText(const Value& response) {
    for (const std::string_view place :
         {"/report", "/output", "/text", "/response", "/generated_text", "/result", "/data/0"}) {
        const Value* value = kit::at(response, place);
        if (!value) continue;
        if (value->IsObject() || value->IsArray()) return kit::dump(*value);
        if (value->IsString() && !kit::trim(kit::view(*value)).empty()) return std::string(kit::view(*value));
    }
    return {};
}

std::optional<std::string> gradioText(const Value& output) {
    if (output.IsString()) return std::string(kit::view(output));
    if (const Value* content = kit::find(output, "content")) return gradioText(*content);
    if (const Value* text = kit::find(output, "text")) return gradioText(*text);
    if (!output.IsArray() || output.Empty()) return std::nullopt;
    const Value& last = output[output.Size() - 1];
    if (kit::find(last, "role")) return lastAnswer(output);
    // The older form of a history: [[what the user said, what the app said], ...]
    if (last.IsArray() && last.Size() == 2) return gradioText(last[1]);
    return joinedParts(output);
}

stepper::sdk::Failure gradioFailure(int status, const kit::Headers& headers, const Value& data) {
    std::string words(data.IsString() ? kit::view(data) : kit::string(data, "error"));
    const std::string_view title = kit::string(data, "title");
    if (!title.empty() && title != "Error") words = std::string(title) + (words.empty() ? "" : ": ") + words;

    kit::ErrorBody error;
    error.message = words;
    stepper::sdk::Failure f = kit::classify(status, headers, error);
    f.message = words.empty() ? "the Space's app failed without saying why (only apps with show_error say "
                                "it); if it always does, compare options.inputs with its \"Use via API\" page"
                              : "the Space's app failed: " + kit::presentable(words);
    return f;
}

}  // namespace hfspace
