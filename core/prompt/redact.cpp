#include "core/prompt/redact.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/prompt/redact_match.h"

namespace stepper::prompt {
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
        const bool indent = (text[i] == ' ' || text[i] == '\t') && isSpace(text[i - 1]);
        if (!isBase64(text[i]) && text[i] != '\\' && text[i] != '\n' && text[i] != '\r' && !indent) break;
        ++i;
    }
    return i;
}

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

// The password of scheme://user:password@host, for the "://" at text[at].
std::optional<Secret> urlPassword(std::string_view text, size_t at) {
    const size_t begin = at + 3;
    const size_t end = runEnd(text, begin, [](char c) {
        return !isSpace(c) && std::string_view("/?#\"'`<>\\").find(c) == std::string_view::npos;
    });
    const std::string_view authority = text.substr(begin, end - begin);
    const size_t host = authority.rfind('@');
    if (host == std::string_view::npos) return std::nullopt;
    const size_t colon = authority.substr(0, host).find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view password = authority.substr(colon + 1, host - colon - 1);
    if (password.empty() || std::string_view("${[%*").find(password.front()) != std::string_view::npos)
        return std::nullopt;
    return Secret{begin + colon + 1, begin + host, "url-password"};
}

bool followsAuthorization(std::string_view text, size_t at) {
    constexpr std::string_view kHeader = "authorization", kBetween = " \t:=\"'\\";
    for (size_t skipped = 0; skipped < 8 && at > 0 && kBetween.find(text[at - 1]) != std::string_view::npos;
         ++skipped)
        --at;
    return at >= kHeader.size() &&
           equalsIgnoreCase(text.substr(at - kHeader.size(), kHeader.size()), kHeader);
}

// "Bearer abc..." anywhere, "Basic abc..." after Authorization. Only the credentials are replaced.
std::optional<Secret> credentials(std::string_view text, size_t at) {
    constexpr size_t kShortestAlone = 16, kShortestInHeader = 8;
    const bool bearer = equalsIgnoreCase(text.substr(at, 7), "bearer ");
    const bool basic = !bearer && equalsIgnoreCase(text.substr(at, 6), "basic ");
    if (!bearer && !basic) return std::nullopt;
    const bool in_header = followsAuthorization(text, at);
    if (basic && !in_header) return std::nullopt;

    const size_t begin = at + (bearer ? 7 : 6);
    const size_t end = runEnd(text, begin, [](char c) {
        return isUrlSafe(c) || std::string_view(".~+/=").find(c) != std::string_view::npos;
    });
    const std::string_view value = text.substr(begin, end - begin);
    const bool digit = std::any_of(value.begin(), value.end(), isDigit);
    const bool secret =
        in_header ? value.size() >= kShortestInHeader : value.size() >= kShortestAlone && digit;
    if (!secret || (begin < text.size() && isTokenStart(text, begin) && knownToken(text, begin)))
        return std::nullopt;
    return Secret{begin, end, bearer ? "bearer-token" : "basic-credentials"};
}

std::optional<Secret> secretAt(std::string_view text, size_t at, AssignmentMatcher& assignments) {
    const char c = text[at];
    if (c == '-') return privateKey(text, at);
    if (c == '=') return assignments.at(at);
    if (c == ':') return text.substr(at).starts_with("://") ? urlPassword(text, at) : assignments.at(at);
    if (!isLetter(c) || !isTokenStart(text, at)) return std::nullopt;
    if (auto token = knownToken(text, at)) return token;
    return c == 'b' || c == 'B' ? credentials(text, at) : std::nullopt;
}

}  // namespace

std::string redact(std::string_view text) {
    AssignmentMatcher assignments(text);
    std::string out;
    size_t copied = 0;
    for (size_t i = 0; i < text.size();) {
        const auto secret = secretAt(text, i, assignments);
        if (!secret) {
            ++i;
            continue;
        }
        out += text.substr(copied, secret->begin - copied);
        out.append("[REDACTED:").append(secret->kind).append("]");
        i = copied = secret->end;
    }
    out += text.substr(copied);
    return out;
}

}  // namespace stepper::prompt
