#include "core/output/extract.h"

#include <algorithm>
#include <optional>

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "core/base/text.h"

namespace stepper::output {
namespace {

constexpr std::string_view kFence = "```";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Reads by the strict grammar without building anything.
class Outline : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Outline> {
public:
    // Whether a member name or an element was read: then this is JSON, not prose in brackets.
    bool hasContent() const { return has_content_; }

    bool Default() { return has_content_ = true; }
    bool Key(const char*, rapidjson::SizeType, bool) { return has_content_ = true; }
    bool StartObject() { return deeper(); }
    bool EndObject(rapidjson::SizeType) { return shallower(); }
    bool StartArray() { return deeper(); }
    bool EndArray(rapidjson::SizeType) { return shallower(); }

private:
    bool deeper() {
        const bool allowed = ++depth_ <= json::ParseLimits().max_depth;
        has_content_ |= !allowed;  // nobody writes prose like that
        return allowed;
    }
    bool shallower() {
        --depth_;
        return has_content_ = true;
    }

    size_t depth_ = 0;
    bool has_content_ = false;
};

// Behind the bracket that closes the one at `at`, or the end of the text.
size_t balancedEnd(std::string_view text, size_t at) {
    size_t open = 0;
    bool quoted = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (quoted && c == '\\')
            ++at;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            ++open;
        else if (!quoted && (c == '}' || c == ']') && --open == 0)
            return at + 1;
    }
    return text.size();
}

struct Found {
    bool complete;
    size_t end;  // where the value ends, or where the search goes on
};

// `at` is at an opening bracket.
Found readValue(std::string_view text, size_t at) {
    rapidjson::MemoryStream stream(text.data() + at, text.size() - at);
    rapidjson::Reader reader;
    Outline outline;
    constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseStopWhenDoneFlag;
    if (!reader.Parse<kFlags>(stream, outline).IsError()) return {true, at + stream.Tell()};
    const size_t stopped = at + stream.Tell();
    if (stopped >= text.size()) return {false, text.size()};
    return {false, outline.hasContent() ? balancedEnd(text, at) : std::max(stopped, at + 1)};
}

bool isOpening(std::string_view text, size_t at) {
    return at < text.size() && (text[at] == '{' || text[at] == '[');
}

// Without the word after a fence that says "json"; nothing when it says something else.
std::optional<std::string_view> withoutLabel(std::string_view body) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto end = static_cast<size_t>(std::find_if_not(body.begin(), body.end(), letter) - body.begin());
    if (end > 0 && !equalsIgnoreCase(body.substr(0, end), "json")) return std::nullopt;
    return body.substr(end);
}

std::optional<std::string_view> insideFence(std::string_view text) {
    if (text.size() < 2 * kFence.size() || !text.starts_with(kFence) || !text.ends_with(kFence))
        return std::nullopt;
    const auto body = text.substr(kFence.size(), text.size() - 2 * kFence.size());
    return withoutLabel(body).value_or(body);
}

std::optional<std::string_view> firstFenced(std::string_view text) {
    for (size_t at = text.find(kFence); at != text.npos; at = text.find(kFence, at)) {
        at += kFence.size();
        const auto body = withoutLabel(text.substr(at));
        if (!body) continue;
        const size_t start = text.find_first_not_of(" \t\r\n", text.size() - body->size());
        if (!isOpening(text, start)) continue;
        const Found found = readValue(text, start);
        if (found.complete) return text.substr(start, found.end - start);
        at = found.end;
    }
    return std::nullopt;
}

std::optional<std::string_view> firstInProse(std::string_view text) {
    for (size_t at = text.find_first_of("{["); at != text.npos; at = text.find_first_of("{[", at)) {
        const Found found = readValue(text, at);
        if (found.complete) return text.substr(at, found.end - at);
        at = found.end;
    }
    return std::nullopt;
}

}  // namespace

Result<json::Document> extract(std::string_view text) {
    text = trim(text);
    if (text.starts_with(kByteOrderMark)) text = trim(text.substr(kByteOrderMark.size()));
    if (auto whole = json::parse(text)) return whole;
    for (const auto find : {insideFence, firstFenced, firstInProse})
        if (const auto part = find(text))
            if (auto value = json::parse(*part)) return value;
    return Error{
        ErrorClass::BadResponse,
        "Response does not appear to be valid JSON format. Provider may have returned an error message."};
}

}  // namespace stepper::output
