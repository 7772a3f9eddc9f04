#include "core/config/env_file.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/config/problems.h"
#include "core/config/yaml_text.h"

namespace stepper::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF", kExport = "export", kBlanks = " \t\v\f";
constexpr CharSet isNameChar("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
constexpr CharSet isQuote("'\"`"), isBlankChar(kBlanks);

std::string withLineFeeds(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
        out += text[i] == '\r' ? '\n' : text[i];
    }
    return out;
}

void skipBlanks(std::string_view& s) { s.remove_prefix(std::min(s.find_first_not_of(kBlanks), s.size())); }

std::string_view firstLine(std::string_view s) { return s.substr(0, s.find('\n')); }

bool isBlankOrComment(std::string_view line) {
    skipBlanks(line);
    return line.empty() || line.front() == '#';
}

// Of the quote that `s` begins with: where it closes, or npos. A backslash keeps one from closing.
size_t closingQuote(std::string_view s) {
    for (size_t at = s.find(s[0], 1); at != std::string_view::npos; at = s.find(s[0], at + 1))
        if (s[at - 1] != '\\') return at;
    return std::string_view::npos;
}

std::string_view withoutExport(std::string_view line) {
    skipBlanks(line);
    if (!line.starts_with(kExport) || line.size() == kExport.size() || !isBlankChar(line[kExport.size()]))
        return line;
    line.remove_prefix(kExport.size());
    skipBlanks(line);
    return line;
}

std::string withControls(std::string_view s) {
    std::string out;
    for (size_t i = 0; i < s.size(); ++i) {
        const std::string_view two = s.substr(i, 2);
        out += two == "\\n" ? '\n' : two == "\\r" ? '\r' : s[i];
        if (two == "\\n" || two == "\\r") ++i;
    }
    return out;
}

// What such a text means between its quotes.
std::string unquoted(std::string_view with_quotes) {
    const std::string_view inside = with_quotes.substr(1, with_quotes.size() - 2);
    return with_quotes.front() == '"' ? withControls(inside) : std::string(inside);
}

class Reader {
public:
    Reader(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

    Result<EnvFile> read() {
        while (!rest_.empty()) statement();
        if (!problems_.empty()) return Error{ErrorClass::Config, problems_.text()};
        return std::move(out_);
    }

private:
    void statement() {
        const std::string_view line = firstLine(rest_);
        if (!isBlankOrComment(line)) {
            const auto variable = takeName();
            if (!variable)
                fail("expected NAME=VALUE, a comment after # or an empty line");
            else if (auto read = value())
                out_.variables.insert_or_assign(std::string(*variable), *std::move(read));
        }
        skip(std::min(rest_.find('\n'), rest_.size() - 1) + 1);
    }

    // Up to where the value begins; what is not a name stays.
    std::optional<std::string_view> takeName() {
        std::string_view s = withoutExport(firstLine(rest_));
        const auto end = std::find_if_not(s.begin(), s.end(), isNameChar);
        const std::string_view name = s.substr(0, static_cast<size_t>(end - s.begin()));
        s.remove_prefix(name.size());
        const bool colon = s.size() > 1 && s[0] == ':' && isBlankChar(s[1]);
        if (!colon) skipBlanks(s);
        if (name.empty() || s.empty() || !(colon || s[0] == '=')) return std::nullopt;
        s.remove_prefix(1);
        skipBlanks(s);
        skip(static_cast<size_t>(s.data() - rest_.data()));
        return name;
    }

    std::optional<std::string> value() {
        if (rest_.empty() || !isQuote(rest_[0])) return bare();
        const size_t close = closingQuote(rest_);
        const bool closed = close != std::string_view::npos;
        if (closed && isBlankOrComment(firstLine(rest_.substr(close + 1)))) {
            std::string out = unquoted(rest_.substr(0, close + 1));
            skip(close + 1);
            return out;
        }
        return quotedInLine(closed && close < firstLine(rest_).size());
    }

    // Quotes within quotes, such as "{"a": 1}", and a backslash before the last: the outermost of the line
    // count.
    std::optional<std::string> quotedInLine(bool closed) {
        const std::string_view line = firstLine(rest_);
        const std::string_view s = trim(line.substr(0, line.find('#')));
        if (s.size() > 1 && s.front() == s.back()) return unquoted(s);
        fail(closed ? "something follows the closing quote" : "this quote is never closed");
        return std::nullopt;
    }

    std::string bare() {
        const std::string_view line = firstLine(rest_);
        const size_t comment = line.find('#');
        if (comment != std::string_view::npos && comment > 0 && !isBlankChar(line[comment - 1]))
            out_.warnings.push_back(fmt::format(
                "{}:{}: this value ends at its first #; put quotes around it if the # belongs to it.", name_,
                line_));
        return std::string(trim(line.substr(0, comment)));
    }

    void skip(size_t bytes) {
        line_ += static_cast<int>(std::ranges::count(rest_.substr(0, bytes), '\n'));
        rest_.remove_prefix(bytes);
    }

    void fail(std::string_view what) { problems_.add({name_, line_, 1}, "", what); }

    std::string_view rest_;
    const std::string& name_;
    int line_ = 1;
    EnvFile out_;
    Problems problems_;
};

// What is never asked of a file: libraries, and the start of this program, look into the environment itself.
void warnOfUnread(const Environment& variables, const std::string& name, std::vector<std::string>& warnings) {
    for (const char* variable : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                 "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"})
        if (variables.contains(variable))
            warnings.push_back(
                fmt::format("{}: {} has no effect in a file; set it in the environment.", name, variable));
}

}  // namespace

Result<EnvFile> parseEnvFile(std::string_view text, const std::string& name) {
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    if (const auto problem = trim(text).empty() ? std::nullopt : checkText(text)) {
        const auto line = 1 + std::ranges::count(text.substr(0, problem->offset), '\n');
        return Error{ErrorClass::Config, fmt::format("{}:{}:1: {}", name, line, problem->what)};
    }
    auto out = Reader(withLineFeeds(text), name).read();
    if (out) warnOfUnread(out->variables, name, out->warnings);
    return out;
}

Result<EnvFile> readEnvFile(const std::filesystem::path& path) {
    const auto file = openRegularFile(path);
    if (!file) return file.error();
    auto text = readFile(path, kMaxDocumentBytes + 1);
    if (!text) return std::move(text).error();
    auto out = parseEnvFile(*text, path.string());
    if (out && (file->info.st_mode & (S_IROTH | S_IWOTH)))
        out->warnings.push_back(
            fmt::format("{} is open to every user of this machine and may hold keys: chmod 600 {}",
                        path.string(), path.string()));
    return out;
}

}  // namespace stepper::config
