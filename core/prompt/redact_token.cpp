#include <algorithm>

#include "core/prompt/redact_match.h"

namespace stepper::prompt {
namespace {

bool isUpperOrDigit(char c) { return isDigit(c) || (c >= 'A' && c <= 'Z'); }
bool isWord(char c) { return isAlnum(c) || c == '_'; }

struct TokenFormat {
    std::string_view prefix;
    std::string_view kind;
    bool (*body)(char);
    size_t min_length;
    bool needs_digit = false;  // for prefixes that ordinary names have too ("sk-loading-spinner-wrapper")
    size_t max_length = 0;     // 0: no upper bound
};

// The first format that fits names the kind, so a longer prefix stands before a shorter one.
constexpr TokenFormat kFormats[] = {
    {"AKIA", "aws-access-key-id", isUpperOrDigit, 16, false, 16},
    {"ASIA", "aws-access-key-id", isUpperOrDigit, 16, false, 16},
    {"ghp_", "github-token", isAlnum, 20},
    {"gho_", "github-token", isAlnum, 20},
    {"ghu_", "github-token", isAlnum, 20},
    {"ghs_", "github-token", isAlnum, 20},
    {"ghr_", "github-token", isAlnum, 20},
    {"github_pat_", "github-token", isWord, 20},
    {"glpat-", "gitlab-token", isUrlSafe, 16},
    {"gldt-", "gitlab-token", isUrlSafe, 16},
    {"glrt-", "gitlab-token", isUrlSafe, 16},
    {"glptt-", "gitlab-token", isUrlSafe, 16},
    {"glcbt-", "gitlab-token", isUrlSafe, 16},
    {"xoxa-", "slack-token", isUrlSafe, 10},
    {"xoxb-", "slack-token", isUrlSafe, 10},
    {"xoxe-", "slack-token", isUrlSafe, 10},
    {"xoxp-", "slack-token", isUrlSafe, 10},
    {"xoxr-", "slack-token", isUrlSafe, 10},
    {"xoxs-", "slack-token", isUrlSafe, 10},
    {"xapp-", "slack-token", isUrlSafe, 10, true},
    {"sk_live_", "stripe-key", isAlnum, 10},
    {"sk_test_", "stripe-key", isAlnum, 10},
    {"rk_live_", "stripe-key", isAlnum, 10},
    {"rk_test_", "stripe-key", isAlnum, 10},
    {"whsec_", "stripe-key", isAlnum, 16},
    {"sk-ant-", "anthropic-key", isUrlSafe, 10, true},
    {"sk-", "openai-key", isUrlSafe, 16, true},
    {"AIza", "google-key", isUrlSafe, 30},
    {"AQ.", "google-key", isUrlSafe, 20, true},
    {"hf_", "huggingface-token", isAlnum, 20},
    {"gsk_", "groq-key", isAlnum, 20},
    {"nvapi-", "nvidia-key", isUrlSafe, 20, true},
    {"xai-", "xai-key", isAlnum, 20, true},
};

bool fits(const TokenFormat& format, std::string_view body) {
    if (body.size() < format.min_length) return false;
    if (format.max_length != 0 && body.size() > format.max_length) return false;
    return !format.needs_digit || std::any_of(body.begin(), body.end(), isDigit);
}

// header.payload.signature, each base64url; the first two are JSON objects and therefore begin with "eyJ".
std::optional<Secret> jsonWebToken(std::string_view text, size_t at) {
    constexpr std::string_view kObject = "eyJ";
    constexpr size_t kShortestPart = 8;
    const size_t header = runEnd(text, at, isUrlSafe);
    if (header - at < kShortestPart || !text.substr(header).starts_with('.')) return std::nullopt;
    if (!text.substr(header + 1).starts_with(kObject)) return std::nullopt;
    const size_t payload = runEnd(text, header + 1, isUrlSafe);
    if (payload - header <= kShortestPart) return std::nullopt;
    const bool has_signature = text.substr(payload).starts_with('.');
    return Secret{at, has_signature ? runEnd(text, payload + 1, isUrlSafe) : payload, "jwt"};
}

}  // namespace

bool isTokenStart(std::string_view text, size_t at) {
    if (at == 0 || !isUrlSafe(text[at - 1])) return true;
    const char previous = text[at - 1];
    const char before = at == 1 ? '\n' : text[at - 2];
    if (previous == '-') return before == '\n';
    return before == '\\' && at > 1 && (previous == 'n' || previous == 'r' || previous == 't');
}

std::optional<Secret> knownToken(std::string_view text, size_t at) {
    const std::string_view rest = text.substr(at);
    for (const TokenFormat& format : kFormats) {
        if (!rest.starts_with(format.prefix)) continue;
        const size_t body = at + format.prefix.size();
        const size_t end = runEnd(text, body, format.body);
        if (fits(format, text.substr(body, end - body))) return Secret{at, end, format.kind};
    }
    if (rest.starts_with("eyJ")) return jsonWebToken(text, at);
    return std::nullopt;
}

}  // namespace stepper::prompt
