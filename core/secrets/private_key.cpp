#include <algorithm>

#include "core/secrets/credentials.h"

namespace stepper::secrets {
namespace {

bool isBase64(char c) { return isAlnum(c) || c == '+' || c == '/' || c == '='; }

// Everything a private key block holds, as a file, a diff, or a string of some language.
bool isKeyBlock(char c) {
    return isBase64(c) || isSpace(c) || std::string_view("\\\"'`,:.-").find(c) != std::string_view::npos;
}

// The end of a key block that was cut off before its END line: base64 in lines, possibly escaped ones.
size_t cutKeyEnd(std::string_view text, size_t from) {
    size_t i = from;
    while (i < text.size()) {
        const bool indent = isBlank(text[i]) && isSpace(text[i - 1]);
        if (!isBase64(text[i]) && text[i] != '\\' && text[i] != '\n' && text[i] != '\r' && !indent) break;
        ++i;
    }
    return i;
}

}  // namespace

std::optional<Secret> privateKey(std::string_view text, size_t at) {
    constexpr std::string_view kBegin = "-----BEGIN ", kDashes = "-----", kKind = "private-key";
    constexpr size_t kLongestLabel = 48, kShortestKey = 40;
    if (!text.substr(at).starts_with(kBegin)) return std::nullopt;
    const size_t label = at + kBegin.size();
    const size_t label_size = text.substr(label, kLongestLabel).find(kDashes);
    if (label_size == std::string_view::npos) return std::nullopt;
    if (text.substr(label, label_size).find("PRIVATE KEY") == std::string_view::npos) return std::nullopt;

    const size_t body = label + label_size + kDashes.size();
    const size_t next = std::min(text.find(kDashes, body), text.size());
    const size_t marker = runEnd(text, next, [](char c) { return c == '-'; });
    if (text.substr(marker).starts_with("END ")) {
        const std::string_view key = text.substr(body, next - body);
        // Code that looks for the markers has more than key material between them.
        if (!std::all_of(key.begin(), key.end(), isKeyBlock)) return std::nullopt;
        const size_t tail = text.substr(marker, kLongestLabel).find(kDashes);
        return Secret{at, tail == std::string_view::npos ? marker : marker + tail + kDashes.size(), kKind};
    }
    const size_t end = cutKeyEnd(text, body);
    if (end - body < kShortestKey) return std::nullopt;
    return Secret{at, end, kKind};
}

}  // namespace stepper::secrets
