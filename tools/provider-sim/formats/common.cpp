#include "tools/provider-sim/formats/common.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/text.h"

namespace stepper::sim {

Result<json::Document> parseBody(const Call& call) {
    auto body = json::parse(call.body);
    if (!body) return std::move(body).error();
    if (!body->IsObject()) return Error{ErrorClass::InvalidRequest, "the request body is not a JSON object"};
    return body;
}

void appendText(const json::Value& content, std::string& prompt) {
    if (content.IsString()) {
        if (!prompt.empty()) prompt += '\n';
        prompt += json::view(content);
    } else if (content.IsArray()) {
        for (const auto& item : content.GetArray()) appendText(item, prompt);
    } else if (content.IsObject()) {
        for (const auto* key : {"text", "content", "message", "parts", "messages", "contents"})
            if (const auto* inner = json::find(content, key)) appendText(*inner, prompt);
    }
}

std::vector<std::string_view> pieces(std::string_view text, size_t bytes) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        // A piece narrower than a character still carries that character whole.
        size_t n = utf8Prefix(text, bytes).size();
        for (size_t wider = bytes; n == 0; ++wider) n = utf8Prefix(text, wider + 1).size();
        out.push_back(text.substr(0, n));
        text.remove_prefix(n);
    }
    return out;
}

std::string sse(const J& data, std::string_view event) {
    std::string out;
    if (!event.empty()) out.append("event: ").append(event).append("\n");
    return out.append("data: ").append(data.str()).append("\n\n");
}

std::string_view translate(std::string_view word, std::span<const Word> table) {
    for (const auto& [neutral, theirs] : table)
        if (neutral == word) return theirs;
    return word;
}

const Wording& wordingOf(std::span<const Wording> table, ErrorKind kind) {
    const auto it =
        std::find_if(table.begin(), table.end(), [&](const Wording& w) { return w.kind == kind; });
    STEPPER_ASSERT(it != table.end());
    return *it;
}

int statusOf(std::span<const Wording> table, const Failure& failure) {
    return failure.status.value_or(wordingOf(table, failure.kind).status);
}

std::string messageOf(std::span<const Wording> table, const Failure& failure, std::string_view again) {
    std::string message = failure.message.empty() ? wordingOf(table, failure.kind).message : failure.message;
    if (!failure.try_again_in.empty()) message += fmt::format(" {} {}.", again, failure.try_again_in);
    return message;
}

std::string idOf(std::string_view prefix, const Ask& ask) {
    return fmt::format("{}{:08x}", prefix, ask.serial);
}

std::string goDuration(milliseconds d) {
    const auto ms = d.count();
    if (ms < 1000) return fmt::format("{}ms", ms);
    const auto minutes = ms / 60'000;
    const auto seconds = fmt::format("{:g}s", static_cast<double>(ms % 60'000) / 1000);
    return minutes ? fmt::format("{}m{}", minutes, seconds) : seconds;
}

}  // namespace stepper::sim
