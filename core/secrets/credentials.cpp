#include "core/secrets/credentials.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/secrets/redact.h"
#include "core/secrets/shapes.h"
#include "core/secrets/values.h"

namespace stepper::secrets {
namespace {

constexpr std::string_view kUrlPassword = "url-password", kCommandPassword = "password";
// As much as is read of what may turn out to be none, so that no text is read again and again.
constexpr size_t kMostPassword = 256;

bool isHost(char c) { return isUrlSafe(c) || c == '.'; }

bool endsUrl(char c) { return isSpace(c) || isQuote(c) || c == '<' || c == '>' || c == '\\'; }

bool isCredential(char c) {
    return isUrlSafe(c) || std::string_view(".~+/=").find(c) != std::string_view::npos;
}

constexpr std::string_view kAuthorization = "authorization";

bool followsAuthorization(std::string_view text, size_t at) {
    at = runBegin(text, at, 8, [](char c) {
        return isBlank(c) || c == ':' || c == '=' || c == '\\' || c == '"' || c == '\'';
    });
    return at >= kAuthorization.size() &&
           equalsIgnoreCase(text.substr(at - kAuthorization.size(), kAuthorization.size()), kAuthorization);
}

bool hasDigit(std::string_view s) { return std::any_of(s.begin(), s.end(), isDigit); }

std::optional<Secret> passwordOf(std::string_view text, size_t begin, size_t end, std::string_view kind) {
    if (!looksPassword(text.substr(begin, end - begin))) return std::nullopt;
    return Secret{begin, end, kind};
}

// What an option of a program takes.
enum class Takes { UserAndPassword, Password, PasswordAtOnce };
struct CommandOption {
    std::string_view program, option;
    Takes takes;
};
constexpr CommandOption kOptions[] = {
    {"curl", "-u", Takes::UserAndPassword},     {"curl", "--user", Takes::UserAndPassword},
    {"curl", "-U", Takes::UserAndPassword},     {"curl", "--proxy-user", Takes::UserAndPassword},
    {"sshpass", "-p", Takes::Password},         {"sshpass", "-p", Takes::PasswordAtOnce},
    {"docker login", "-p", Takes::Password},    {"podman login", "-p", Takes::Password},
    {"redis-cli", "-a", Takes::Password},       {"mysql", "-p", Takes::PasswordAtOnce},
    {"mysqldump", "-p", Takes::PasswordAtOnce}, {"mariadb", "-p", Takes::PasswordAtOnce},
    {"ldapsearch", "-w", Takes::Password},      {"smbclient", "-U", Takes::UserAndPassword},
};

// The command that text[at] is a word of, as much of it as is looked at; it may go over several lines.
std::string_view commandBefore(std::string_view text, size_t at) {
    constexpr size_t kMostLookedAt = 400;
    const size_t begin = at > kMostLookedAt ? at - kMostLookedAt : 0;
    std::string_view before = text.substr(begin, at - begin);
    for (size_t end = before.size(); end > 0;) {
        const size_t line = before.rfind('\n', end - 1);
        if (line == before.npos) break;
        if (line == 0 || before[line - 1] != '\\') return before.substr(line + 1);
        end = line;
    }
    return before;
}

std::optional<Secret> commandValue(std::string_view text, size_t begin, Takes takes) {
    if (begin >= text.size()) return std::nullopt;
    const char quote = isQuote(text[begin]) ? text[begin++] : 0;
    const size_t end =
        runEnd(text, begin, [&](char c) { return quote ? c != quote && c != '\n' : !endsUrl(c); });
    if (takes != Takes::UserAndPassword) return passwordOf(text, begin, end, kCommandPassword);
    const size_t colon = text.substr(begin, end - begin).find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    return passwordOf(text, begin + colon + 1, end, kCommandPassword);
}

// The word before text[at], over white space.
std::string_view wordBefore(std::string_view text, size_t at) {
    constexpr size_t kMostBetween = 16, kLongest = 64;
    const size_t end = runBegin(text, at, kMostBetween, isSpace);
    if (end == at) return {};
    return text.substr(0, end).substr(runBegin(text, end, kLongest, [](char c) { return !isSpace(c); }));
}

}  // namespace

std::optional<Secret> urlPassword(std::string_view text, size_t at) {
    const size_t begin = at + 3;
    const size_t host =
        runEnd(text, begin, [](char c) { return !endsUrl(c) && c != '/' && c != '?' && c != '#'; });
    std::string_view authority = text.substr(begin, host - begin);
    size_t sign = authority.rfind('@');
    if (sign == std::string_view::npos) {
        // As people write them, passwords hold what ends a host. No such one looks like a port.
        const size_t colon = authority.find(':');
        if (colon == std::string_view::npos || host == text.size() || endsUrl(text[host]))
            return std::nullopt;
        const std::string_view port = authority.substr(colon + 1);
        if (std::all_of(port.begin(), port.end(), isDigit)) return std::nullopt;
        const std::string_view window = text.substr(0, host + kMostPassword);
        const size_t end = runEnd(window, host, [](char c) { return !endsUrl(c); });
        authority = text.substr(begin, end - begin);
        sign = authority.rfind('@');
        if (sign == std::string_view::npos || sign + 1 == authority.size() || !isHost(authority[sign + 1]))
            return std::nullopt;
    }
    const size_t colon = authority.substr(0, sign).find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    return passwordOf(text, begin + colon + 1, begin + sign, kUrlPassword);
}

std::optional<Secret> bearerOrBasic(std::string_view text, size_t at) {
    constexpr size_t kShortestAlone = 16, kShortestInHeader = 8;
    const bool bearer = equalsIgnoreCase(text.substr(at, 7), "bearer ");
    const bool basic = !bearer && equalsIgnoreCase(text.substr(at, 6), "basic ");
    if (!bearer && !basic) return std::nullopt;
    const bool in_header = followsAuthorization(text, at);
    if (basic && !in_header) return std::nullopt;

    const size_t begin = at + (bearer ? 7 : 6);
    const size_t end = runEnd(text, begin, isCredential);
    const std::string_view value = text.substr(begin, end - begin);
    const bool secret =
        in_header ? value.size() >= kShortestInHeader : value.size() >= kShortestAlone && hasDigit(value);
    if (!secret || isPlaceholder(value) || tokenAt(text, begin)) return std::nullopt;
    return Secret{begin, end, bearer ? "bearer-token" : "basic-credentials"};
}

std::optional<Secret> authorization(std::string_view text, size_t op) {
    constexpr size_t kShortest = 16;
    if (!followsAuthorization(text, op)) return std::nullopt;
    size_t begin = runEnd(text, op + 1, [](char c) { return isBlank(c) || isQuote(c) || c == '\\'; });
    const size_t word = runEnd(text, begin, [](char c) { return isLetter(c) || c == '-'; });
    const std::string_view scheme = text.substr(begin, word - begin);
    if (equalsIgnoreCase(scheme, "bearer") || equalsIgnoreCase(scheme, "basic")) return std::nullopt;
    if (!scheme.empty() && text.substr(word).starts_with(' ')) begin = word + 1;
    const auto inside = [](char c) { return isCredential(c) || c == ':'; };
    const size_t end = runEnd(text.substr(0, begin + kMostPassword), begin, inside);
    const std::string_view value = text.substr(begin, end - begin);
    const bool call = end < text.size() && (text[end] == '(' || text[end] == '[');
    if (value.size() < kShortest || !hasDigit(value) || call || isPlaceholder(value) || tokenAt(text, begin))
        return std::nullopt;
    return Secret{begin, runEnd(text, end, inside), "authorization"};
}

std::optional<Secret> commandPassword(std::string_view text, size_t begin, size_t end) {
    const std::string_view word = text.substr(begin, end - begin);
    const bool known = std::any_of(std::begin(kOptions), std::end(kOptions),
                                   [&](const auto& o) { return word.starts_with(o.option); });
    if (!known) return std::nullopt;
    const std::string_view command = commandBefore(text, begin);
    for (const auto& [program, option, takes] : kOptions) {
        const bool at_once = word.size() > option.size();
        const bool fits =
            word.starts_with(option) && (!at_once || takes == Takes::PasswordAtOnce ||
                                         (takes == Takes::UserAndPassword && !option.starts_with("--")));
        if (!fits || (takes == Takes::PasswordAtOnce && !at_once)) continue;
        const size_t named = command.rfind(program);
        if (named == command.npos || (named > 0 && isUrlSafe(command[named - 1]))) continue;
        const size_t value = at_once ? begin + option.size()
                                     : runEnd(text, end, [](char c) { return isBlank(c) || c == '='; });
        if (at_once || value > end) return commandValue(text, value, takes);
    }
    return std::nullopt;
}

std::optional<Secret> spokenPassword(std::string_view text, size_t begin, size_t end) {
    const std::string_view word = text.substr(begin, end - begin);
    const size_t value = runEnd(text, end, isBlank);
    if (value == end || value >= text.size()) return std::nullopt;
    const bool quoted = text[value] == '\'' || text[value] == '"';
    const bool password = equalsIgnoreCase(word, "password");
    const bool by = equalsIgnoreCase(word, "by") && equalsIgnoreCase(wordBefore(text, begin), "identified");
    if (quoted && (password || by)) {
        const NameRule rule{"password", kCommandPassword, 6, Values::Human};
        const size_t close = runEnd(text, value + 1, [&](char c) { return c != text[value] && !isSpace(c); });
        const std::string_view said = text.substr(value + 1, close - value - 1);
        if (close >= text.size() || isSpace(text[close]) || !looksSecret(said, Form::Literal, rule))
            return std::nullopt;
        return Secret{value + 1, close, kCommandPassword};
    }
    const std::string_view login = password && !quoted ? wordBefore(text, begin) : std::string_view();
    if (login.empty()) return std::nullopt;
    const std::string_view before = wordBefore(text, static_cast<size_t>(login.data() - text.data()));
    // "machine H password P" has no login.
    const bool netrc = equalsIgnoreCase(before, "login") || equalsIgnoreCase(before, "machine");
    const size_t close = runEnd(text, value, [](char c) { return !isSpace(c) && c != '\\'; });
    return netrc ? passwordOf(text, value, close, kCommandPassword) : std::nullopt;
}

}  // namespace stepper::secrets
