#include "core/output/extract.h"

#include <algorithm>
#include <optional>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/output/lenient.h"

namespace stepper::output {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlank = " \t\r\n";

// The order of preference; the later in the text first within each.
enum class Standing { Apart, Running, NumbersApart, CutRunning, Doubtful };

struct Found {
    Standing standing;
    Candidate candidate;
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

bool isWord(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
// "[1]", "[2, 3]": how texts cite.
bool isNumbers(std::string_view json) {
    return json.starts_with('[') && json.find_first_not_of("[]0123456789,") == json.npos;
}

// On a line of its own or after a colon, whatever emphasis is around it.
bool introduced(std::string_view before) {
    const size_t last = before.find_last_not_of(" \t*_`");
    if (last == before.npos) return true;
    before = before.substr(0, last + 1);
    return before.ends_with('\n') || before.ends_with(':') || before.ends_with('=') ||
           before.ends_with('>') || before.ends_with("\xEF\xBC\x9A");  // the full-width colon
}
bool lineEnds(std::string_view after) {
    const size_t next = after.find_first_not_of(" \t\r*_`.,;!)}]");
    return next == after.npos || after[next] == '\n' || after[next] == '<' ||
           after.substr(next).starts_with("\xE3\x80\x82");  // the ideographic full stop
}

bool fenceEnds(std::string_view after) {
    after.remove_prefix(std::min(after.find_first_not_of(kBlank), after.size()));
    return after.empty() || after.starts_with("```") || after.starts_with("~~~");
}

// Where code fences open and close while a text is read from its beginning to its end.
class Fences {
public:
    // `at` is at a backtick or tilde. Behind the fence and its label, or behind the character when it is
    // none.
    size_t pass(std::string_view text, size_t at) {
        const char mark = text[at];
        const size_t run = std::min(text.find_first_not_of(mark, at), text.size()) - at;
        if (run < 3) return at + run;
        const auto rest = text.substr(at + run);
        const size_t blanks = std::min(rest.find_first_not_of(" \t"), rest.size());
        const auto from = rest.begin() + static_cast<std::ptrdiff_t>(blanks);
        const auto to = std::find_if_not(from, rest.end(), isWord);
        const std::string label = lower({from, to});
        if (open_ && label.empty() && mark == mark_ && run >= run_) {
            open_ = false;
            return at + run;
        }
        open_ = true;
        mark_ = mark;
        run_ = run;
        data_ = label.empty() || label.starts_with("json");
        const size_t end = at + run + static_cast<size_t>(to - rest.begin());
        body_ = text.find_first_not_of(kBlank, end);
        return end;
    }

    bool inCode() const { return open_ && !data_; }
    // Whether the place is the first in a fence.
    bool startBody(size_t at) const { return open_ && body_ == at; }

private:
    bool open_ = false, data_ = false;
    char mark_ = 0;
    size_t run_ = 0, body_ = 0;  // its first character that is not blank
};

class Search {
public:
    Search(std::string_view text, bool finished, Effort& effort)
        : text_(text), finished_(finished), effort_(effort) {}

    std::vector<Candidate> run() {
        for (size_t from = 0, at; (at = text_.find_first_of("{[`~", from)) != text_.npos;) {
            if (!effort_.spend(at - from + 1)) break;
            from = text_[at] == '`' || text_[at] == '~' ? fences_.pass(text_, at) : take(at);
        }
        std::reverse(found_.begin(), found_.end());
        std::stable_sort(found_.begin(), found_.end(),
                         [](const Found& a, const Found& b) { return a.standing < b.standing; });
        std::vector<Candidate> out;
        for (auto& f : found_) out.push_back(std::move(f.candidate));
        return out;
    }

private:
    // Where the search goes on.
    size_t take(size_t at) {
        Reading read = readLeniently(text_, at, finished_, effort_);
        using State = Reading::State;
        if (read.state == State::Broken || !read.has_content) {
            if (read.state == State::Complete) keepEmpty(at, read);
            if (read.state == State::Broken && read.has_content) return balancedEnd(text_, at);
            return std::max(read.end, at + 1);
        }
        const bool cut = read.state == State::Cut;
        const Standing standing = standingOf(at, read);
        if (cut && standing == Standing::Apart && read.end == text_.size()) found_.clear();
        if (!read.json.empty() || (cut && standing == Standing::Apart))
            found_.push_back(
                {standing, {std::move(read.json), read.repaired, cut, standing == Standing::Doubtful}});
        return read.end;
    }

    // Nothing is an answer only where an answer is expected.
    void keepEmpty(size_t at, const Reading& read) {
        if (fences_.startBody(at) && !fences_.inCode())
            found_.push_back({Standing::Apart, {read.json, read.repaired, false, false}});
    }

    Standing standingOf(size_t at, const Reading& read) const {
        // A fence that holds nothing else is no code, whatever its label says.
        if (fences_.startBody(at) && (!fences_.inCode() || fenceEnds(text_.substr(read.end))))
            return Standing::Apart;
        const bool cut = read.state == Reading::State::Cut;
        const bool apart =
            !fences_.inCode() && introduced(text_.substr(0, at)) && (cut || lineEnds(text_.substr(read.end)));
        if (isNumbers(read.json)) return apart ? Standing::NumbersApart : Standing::Doubtful;
        if (apart) return Standing::Apart;
        const bool link = read.json.starts_with('[') && read.end < text_.size() && text_[read.end] == '(';
        const bool index =
            read.json.starts_with('[') && at > 0 && (isWord(text_[at - 1]) || text_[at - 1] == ')');
        if (link || index) return Standing::Doubtful;
        return cut ? Standing::CutRunning : Standing::Running;
    }

    const std::string_view text_;
    const bool finished_;
    Effort& effort_;
    Fences fences_;
    std::vector<Found> found_;
};

// The text as one value, strings and numbers too.
std::optional<Candidate> whole(std::string_view text, bool finished, Effort& effort) {
    const auto trimmed = trim(text);
    if (trimmed.starts_with('{') || trimmed.starts_with('[')) {
        Reading read = readLeniently(trimmed, 0, finished, effort);
        if (read.state != Reading::State::Complete || read.end != trimmed.size()) return std::nullopt;
        return Candidate{std::move(read.json), read.repaired, false, false};
    }
    if (!json::parse(trimmed, {.any_magnitude = true})) return std::nullopt;
    return Candidate{std::string(trimmed), false, false, false};
}

// The body of the one fence that is all of the text.
std::optional<std::string_view> insideFence(std::string_view text) {
    constexpr std::string_view kFence = "```";
    text = trim(text);
    if (text.size() < 2 * kFence.size() || !text.starts_with(kFence) || !text.ends_with(kFence))
        return std::nullopt;
    text = text.substr(kFence.size(), text.size() - 2 * kFence.size());
    if (equalsIgnoreCase(text.substr(0, 4), "json")) text.remove_prefix(4);
    return text;
}

}  // namespace

std::vector<Candidate> candidates(std::string_view text, bool finished, Effort& effort) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    if (auto value = whole(text, finished, effort)) return {std::move(*value)};
    if (const auto body = insideFence(text))
        if (auto value = whole(*body, finished, effort)) return {std::move(*value)};
    return Search(text, finished, effort).run();
}

}  // namespace stepper::output
