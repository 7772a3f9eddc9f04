#include "core/secrets/redact.h"

#include "core/secrets/assignment.h"
#include "core/secrets/credentials.h"
#include "core/secrets/shapes.h"

namespace stepper::secrets {
namespace {

// Reads one text from left to right. Words are runs of URL-safe characters and none is entered twice: that is
// what keeps it linear.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text), assignments_(text) {}

    // The next secret from `from` on.
    std::optional<Secret> next(size_t from) {
        while (from < text_.size()) {
            if (isUrlSafe(text_[from])) {
                const size_t end = runEnd(text_, from, isUrlSafe);
                if (auto found = inWord(from, end)) return found;
                from = end;
                continue;
            }
            if (auto found = atOperator(from)) return found;
            ++from;
        }
        return std::nullopt;
    }

private:
    std::optional<Secret> inWord(size_t begin, size_t end) {
        if (auto found = beginningAt(begin, end)) return found;
        // A diff marker at the start of a line and the letter of an escaped line break or tab are no part of
        // a word.
        const char first = text_[begin], before = begin > 0 ? text_[begin - 1] : '\n';
        const bool marked = first == '-' && before == '\n';
        const bool escaped = before == '\\' && (first == 'n' || first == 'r' || first == 't');
        if ((marked || escaped) && begin + 1 < end)
            if (auto found = beginningAt(begin + 1, end)) return found;
        constexpr std::string_view kBegin = "-----BEGIN";
        return text_.substr(begin, end - begin).ends_with(kBegin) ? privateKey(text_, end - kBegin.size())
                                                                  : std::nullopt;
    }

    std::optional<Secret> beginningAt(size_t begin, size_t end) {
        if (auto token = tokenAt(text_, begin)) return token;
        switch (text_[begin]) {
            case 'b':
            case 'B':
                if (auto found = bearerOrBasic(text_, begin)) return found;
                [[fallthrough]];
            case 'p':
            case 'P': return spokenPassword(text_, begin, end);
            case '-': return behindOption(begin, end);
            default: return std::nullopt;
        }
    }

    std::optional<Secret> behindOption(size_t begin, size_t end) {
        if (begin + 1 == end || (begin > 0 && !isSpace(text_[begin - 1]))) return std::nullopt;
        if (auto found = commandPassword(text_, begin, end)) return found;
        return text_[begin + 1] == '-' ? assignments_.behindOption(begin, end) : std::nullopt;
    }

    std::optional<Secret> atOperator(size_t at) {
        switch (text_[at]) {
            case ':':
                if (text_.substr(at).starts_with("://")) return urlPassword(text_, at);
                [[fallthrough]];
            case '=':
                if (auto found = assignments_.at(at)) return found;
                return authorization(text_, at);
            case ',': return at > 0 && isQuote(text_[at - 1]) ? assignments_.at(at) : std::nullopt;
            case '>': return at > 0 && isAlnum(text_[at - 1]) ? assignments_.at(at) : std::nullopt;
            default: return std::nullopt;
        }
    }

    std::string_view text_;
    Assignments assignments_;
};

}  // namespace

std::string redact(std::string_view text) {
    Reader reader(text);
    std::string out;
    size_t copied = 0;
    while (const auto secret = reader.next(copied)) {
        out += text.substr(copied, secret->begin - copied);
        out.append("[REDACTED:").append(secret->kind).append("]");
        copied = secret->end;
    }
    return out.append(text.substr(copied));
}

}  // namespace stepper::secrets
