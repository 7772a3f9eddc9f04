#include "core/output/lenient.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/json.h"

namespace stepper::output {
namespace {

constexpr std::string_view kBlanks[] = {" ", "\n", "\r", "\t"};
// No-break space, zero-width space, ideographic space, byte order mark: they look like white space.
constexpr std::string_view kForeignBlanks[] = {"\xC2\xA0", "\xE2\x80\x8B", "\xE3\x80\x80", "\xEF\xBB\xBF"};
constexpr std::pair<std::string_view, std::string_view> kLiterals[] = {
    {"true", "true"}, {"false", "false"}, {"null", "null"},
    {"True", "true"}, {"False", "false"}, {"None", "null"},
};

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isHex(char c) { return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool isWord(char c) { return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

enum class Step {
    Done,
    TextEnded,
    NotJson,
};

class Reader {
public:
    Reader(std::string_view text, size_t at, bool finished, Effort& effort)
        : text_(text), at_(at), finished_(finished), effort_(effort) {}

    Reading read() {
        Step step = open();
        while (step == Step::Done && !levels_.empty()) {
            const size_t before = at_;
            step = next();
            if (!effort_.spend(at_ - before)) step = Step::NotJson;
        }
        Reading out;
        out.state = step == Step::Done        ? Reading::State::Complete
                    : step == Step::TextEnded ? Reading::State::Cut
                                              : Reading::State::Broken;
        if (step == Step::TextEnded) closeAll();
        out.end = std::min(at_, text_.size());
        out.has_content = has_content_;
        out.repaired = repaired_ || step == Step::TextEnded;
        out.json = std::move(out_);
        return out;
    }

private:
    enum class Expects { Item, Colon, Value, Comma };
    struct Level {
        bool object;
        size_t sound;  // of out_: behind the last complete item, or the bracket
        size_t items = 0;
        Expects expects = Expects::Item;
        bool comma = false;  // read, not yet written
    };

    bool ended() const { return at_ >= text_.size(); }
    bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }
    bool atFence() const { return starts("```") || starts("~~~"); }

    // {name: ...} is an object in a notation that is not read, and no prose.
    bool atBareName() const {
        const size_t end = static_cast<size_t>(
            std::find_if_not(text_.begin() + static_cast<std::ptrdiff_t>(at_), text_.end(), isWord) -
            text_.begin());
        const size_t next = text_.find_first_not_of(" \t", end);
        return end > at_ && next != text_.npos && text_[next] == ':';
    }

    Step next() {
        if (!skipBlanks()) return Step::TextEnded;
        Level& level = levels_.back();
        const char c = text_[at_];
        switch (level.expects) {
            case Expects::Item:
                if (c == (level.object ? '}' : ']')) return close();
                if (level.comma) out_ += ',';
                if (!level.object) return value();
                if (c == '"' || c == '\'') return name(level);
                has_content_ |= atBareName();
                return Step::NotJson;
            case Expects::Colon:
                if (c != ':') return Step::NotJson;
                out_ += c;
                ++at_;
                level.expects = Expects::Value;
                return Step::Done;
            case Expects::Value: return value();
            case Expects::Comma:
                if (c == (level.object ? '}' : ']')) return close();
                if (c != ',') return Step::NotJson;
                ++at_;
                level.comma = true;
                level.expects = Expects::Item;
                return Step::Done;
        }
        return Step::NotJson;
    }

    Step name(Level& level) {
        level.expects = Expects::Colon;
        const Step step = string();
        has_content_ |= step == Step::Done;
        return step;
    }

    Step value() {
        const char c = text_[at_];
        if (c == '{' || c == '[') return open();
        const Step step = c == '"' || c == '\'' ? string() : c == '-' || isDigit(c) ? number() : literal();
        if (step == Step::Done) itemEnded();
        return step;
    }

    Step open() {
        if (levels_.size() >= json::ParseLimits().max_depth) {
            has_content_ = true;  // nobody writes prose like that
            return Step::NotJson;
        }
        out_ += text_[at_];
        levels_.push_back({text_[at_] == '{', out_.size()});
        ++at_;
        return Step::Done;
    }

    Step close() {
        repaired_ |= levels_.back().comma;
        out_ += text_[at_++];
        levels_.pop_back();
        itemEnded();
        return Step::Done;
    }

    void itemEnded() {
        if (levels_.empty()) return;
        has_content_ = true;
        Level& level = levels_.back();
        level.sound = out_.size();
        level.expects = Expects::Comma;
        level.comma = false;
        ++level.items;
    }

    // Drops what the end of the text left incomplete and closes what still holds something.
    void closeAll() {
        while (!levels_.empty()) {
            const Level level = levels_.back();
            levels_.pop_back();
            if (level.items == 0) continue;
            out_.resize(level.sound);
            out_ += level.object ? '}' : ']';
            if (levels_.empty()) return;
            levels_.back().sound = out_.size();
            ++levels_.back().items;
        }
        out_.clear();
    }

    // False at the end.
    bool skipBlanks() {
        while (!ended() && !atFence()) {
            const auto here = [&](std::string_view blank) { return starts(blank); };
            const auto blank = std::find_if(std::begin(kBlanks), std::end(kBlanks), here);
            const auto foreign = std::find_if(std::begin(kForeignBlanks), std::end(kForeignBlanks), here);
            if (blank != std::end(kBlanks))
                ++at_;
            else if (foreign != std::end(kForeignBlanks))
                at_ += foreign->size(), repaired_ = true;
            else if ((starts("//") || starts("#")) && !inLabel())
                skipComment("\n");
            else if (starts("/*"))
                skipComment("*/");
            else
                return true;
        }
        return false;
    }

    // "[#12]", "[//]: # (...)": prose, whose bracket a comment would swallow.
    bool inLabel() const {
        constexpr size_t kLongest = 200;
        const std::string_view near = text_.substr(at_, kLongest);
        return text_[at_ - 1] == '[' && near.substr(0, near.find('\n')).find(']') != near.npos;
    }

    void skipComment(std::string_view last) {
        repaired_ = true;
        const size_t end = text_.find(last, at_ + (last.size() > 1 ? 2 : 1));
        at_ = end == text_.npos ? text_.size() : end + last.size();
    }

    Step string() {
        const char quote = text_[at_];
        const size_t begin = ++at_;
        repaired_ |= quote == '\'';
        out_ += '"';
        while (!ended()) {
            const char c = text_[at_];
            if (c == quote) {
                out_ += '"';
                ++at_;
                return Step::Done;
            }
            if (c == '\\') {
                escape();
            } else {
                character(c);
                ++at_;
            }
        }
        if (!has_content_) at_ = begin;  // a lone quote in prose must not hide what follows it
        return Step::TextEnded;
    }

    void escape() {
        const std::string_view rest = text_.substr(at_ + 1);
        const char c = rest.empty() ? '\\' : rest.front();
        const bool unicode = c == 'u' && rest.size() >= 5 && std::all_of(&rest[1], &rest[1] + 4, isHex);
        if (unicode || std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos) {
            const size_t size = unicode ? 6 : 2;
            out_ += text_.substr(at_, size);
            at_ += size;
            return;
        }
        // "C:\Users" or "\d": the model meant the backslash; "it\'s" means the quote.
        repaired_ = true;
        if (c == '\'') {
            out_ += c;
            at_ += 2;
        } else {
            out_ += "\\\\";
            ++at_;
        }
    }

    void character(char c) {
        constexpr char kHex[] = "0123456789abcdef";
        if (c == '"') {
            out_ += "\\\"";
        } else if (static_cast<unsigned char>(c) >= 0x20) {
            out_ += c;
        } else {
            repaired_ = true;
            if (c == '\n')
                out_ += "\\n";
            else if (c == '\r')
                out_ += "\\r";
            else if (c == '\t')
                out_ += "\\t";
            else
                (out_ += "\\u00") += {kHex[c >> 4], kHex[c & 15]};
        }
    }

    Step number() {
        const size_t begin = at_;
        const auto digits = [&] {
            const size_t from = at_;
            while (!ended() && isDigit(text_[at_])) ++at_;
            return at_ > from;
        };
        const auto fails = [&] { return ended() ? Step::TextEnded : Step::NotJson; };
        if (text_[at_] == '-') ++at_;
        const bool zero = !ended() && text_[at_] == '0';
        if (!digits() || (zero && at_ - begin > (text_[begin] == '-' ? 2u : 1u))) return fails();
        if (!ended() && text_[at_] == '.') {
            ++at_;
            if (!digits()) return fails();
        }
        if (!ended() && (text_[at_] == 'e' || text_[at_] == 'E')) {
            ++at_;
            if (!ended() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
            if (!digits()) return fails();
        }
        if (ended() && !finished_) return Step::TextEnded;
        out_ += text_.substr(begin, at_ - begin);
        return Step::Done;
    }

    Step literal() {
        const size_t begin = at_;
        size_t end = at_;
        while (end < text_.size() && isWord(text_[end])) ++end;
        const std::string_view word = text_.substr(begin, end - begin);
        for (const auto& [said, meant] : kLiterals) {
            if (word != said) {
                if (end == text_.size() && !word.empty() && said.starts_with(word)) {
                    at_ = end;
                    return Step::TextEnded;
                }
                continue;
            }
            repaired_ |= said != meant;
            out_ += meant;
            at_ = end;
            return Step::Done;
        }
        return Step::NotJson;
    }

    const std::string_view text_;
    size_t at_;
    const bool finished_;
    Effort& effort_;
    std::string out_;
    std::vector<Level> levels_;
    bool has_content_ = false, repaired_ = false;
};

}  // namespace

Reading readLeniently(std::string_view text, size_t at, bool finished, Effort& effort) {
    return Reader(text, at, finished, effort).read();
}

}  // namespace stepper::output
