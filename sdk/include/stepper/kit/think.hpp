// stepper/kit/think.hpp - takes a model's reasoning out of the text of its answer, piece by piece.
//
// What counts as reasoning:
//   a block that the answer begins with, and those right behind it; one that never closes is all reasoning
//   one block at the start of a line further down ("Sure!\n<think>..."), if it closes
//   all that stands before a closer whose opener the chat template has swallowed
// Everything else is a mention and stays: marks in code, in quotes, in the middle of a sentence, and all that
// follow once a block has ended. Where a mark could be either, taking it for a mention loses less.
//
// That an opener was swallowed shows only when its closer comes, after text that was already given. Holding
// all text back until then would cost every streamed answer its first words, so it is given and taken back: a
// host that collects moves it, one that passes a stream on tells its reader.
#pragma once
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "stepper/kit/reasoning_marks.hpp"
#include "stepper/kit/text.hpp"

namespace stepper::kit {

// Where a text stands: what has been said on its current line, and whether that is code.
class LinePosition {
public:
    void see(char c) {
        if (c == '\n') {
            const bool fence = fence_;
            *this = {};
            fence_ = fence;
            return;
        }
        seeFence(c);
        if (c == '`') code_ = !code_;
        if (c == '"') quoted_ = !quoted_;
        words_ = words_ || isAlpha(c) || static_cast<unsigned char>(c) >= 0x80;
        if (!isSpace(c)) tail_ = {tail_[1], tail_[2], c};
        last_ = c;
    }

    bool blank() const { return tail_[2] == 0; }
    bool inCode() const { return fence_ || code_; }
    bool inQuotes() const { return quoted_; }
    bool hasWords() const { return words_; }
    // What a mark here would be glued to; 0 when there is a gap.
    char glue() const { return isSpace(last_) ? '\0' : last_; }
    bool afterSentence() const {
        constexpr std::string_view kEnds = ".!?)]}*_\"";
        constexpr std::array<std::string_view, 4> kWideEnds = {"\xE3\x80\x82", "\xEF\xBC\x81", "\xEF\xBC\x9F",
                                                               "\xE2\x80\xA6"};  // 。！？…
        const std::string_view tail(tail_.data(), tail_.size());
        return kEnds.find(tail_[2]) != std::string_view::npos ||
               std::find(kWideEnds.begin(), kWideEnds.end(), tail) != kWideEnds.end();
    }

private:
    void seeFence(char c) {
        const bool fences = c == '`' || c == '~';
        if (!fences && !isSpace(c)) fence_ticks_ = kNoFence;
        if (!fences || fence_ticks_ == kNoFence || ++fence_ticks_ != 3) return;
        fence_ = !fence_;
        code_ = c == '`';  // see() is about to toggle it
        fence_ticks_ = kNoFence;
    }

    static constexpr int kNoFence = -1;
    std::array<char, 3> tail_{};  // the last bytes that are no space
    char last_ = ' ';
    int fence_ticks_ = 0;
    bool fence_ = false, code_ = false, quoted_ = false, words_ = false;
};

// Feed the pieces of one answer in order, then finish once. Holds back only what the next characters may turn
// into a mark, and a block that may turn out to be none, so the outcome does not depend on where the pieces
// were cut.
class ThinkStripper {
public:
    struct Output {
        std::string text, reasoning;
        bool took_back = false;  // all text given by earlier calls was reasoning
    };

    // `opened`: the chat template has already written <think>, the answer starts inside the block.
    explicit ThinkStripper(bool opened = false) : state_(opened ? State::Inside : State::Start) {}

    Output feed(std::string_view piece) {
        held_ += piece;
        return run(false);
    }
    Output finish() {
        Output out = run(true);
        give(out, std::exchange(lead_, {}));
        // It never closed, so it was none.
        give(out, std::exchange(block_, {}));
        return out;
    }

private:
    using Match = marks::Match;
    enum class State {
        Start,   // white space, so far
        Text,    // the answer; what was said may still turn out to be reasoning
        Maybe,   // inside a block that counts only if it closes
        Inside,  // inside a block
        Gap,     // behind a block: white space that belongs to nobody, or another block
        After    // the answer, and nothing else any more
    };
    // What becomes of the character at hand.
    enum class Step {
        Plain,  // it is no mark
        Wait,   // the next ones decide
        Gone    // it was a mark and is used up
    };

    Output run(bool last) {
        Output out;
        last_ = last;
        rest_ = held_;
        gave_earlier_ = text_given_;
        while (!rest_.empty() && step(out)) {
        }
        held_.erase(0, held_.size() - rest_.size());
        return out;
    }

    // False: more is needed.
    bool step(Output& out) {
        if (state_ == State::Start || state_ == State::Gap) skipSpaces();
        if (rest_.empty()) return true;
        const Step found = stepAt(rest_, out);
        if (found == Step::Wait) return false;
        if (found == Step::Gone) {
            lead_.clear();
        } else if (state_ == State::Start) {
            // A document of tags has tags of its own.
            state_ = rest_[0] == '<' ? State::After : State::Text;
            for (const char c : lead_) line_.see(c);
            give(out, std::exchange(lead_, {}));
        } else if (state_ == State::Gap) {
            state_ = State::After;
        } else {
            passOn(out);
        }
        return true;
    }

    // Those before the answer's first character are its own unless it begins with a block.
    void skipSpaces() {
        const std::string_view from = trimLeft(rest_);
        if (state_ == State::Start) lead_ += rest_.substr(0, rest_.size() - from.size());
        rest_ = from;
    }

    Step stepAt(std::string_view from, Output& out) {
        switch (state_) {
            case State::Start: return atStart(from);
            case State::Text: return inText(from, out);
            case State::Maybe: return inBlock(from, out, false);
            case State::Inside: return inBlock(from, out, true);
            case State::Gap: return inGap(from);
            case State::After: break;
        }
        return trailing(from);
    }

    Step atStart(std::string_view from) {
        if (const Step found = inGap(from); found != Step::Plain) return found;
        const std::string_view word = marks::kBareHarmony.open;
        const Match m = settled(marks::match(from, word));
        if (m == Match::No) return Step::Plain;
        if (m == Match::Partly || (from.size() == word.size() && !last_)) return Step::Wait;
        const char next = from.size() > word.size() ? from[word.size()] : ' ';
        if (!(next >= 'A' && next <= 'Z')) return Step::Plain;
        return enter(from, {m, word.size(), marks::kBare}, State::Maybe);
    }

    Step inText(std::string_view from, Output& out) {
        if (!marks::mayBegin(from[0]) || line_.inCode()) return Step::Plain;
        if (line_.blank()) {
            if (const Step found = open(from, State::Maybe); found != Step::Plain) return found;
        } else if (const Match opener = settled(marks::opener(from).match); opener != Match::No) {
            openers_mentioned_ = openers_mentioned_ || opener == Match::Yes;
            return plainOrWait(opener);
        }
        const marks::Found found = marks::anyCloser(from);
        if (settled(found.match) != Match::Yes) return plainOrWait(found.match);
        const Match closes = closesWhatNeverOpened(isToken(from), from.substr(found.length));
        if (closes != Match::Yes) return plainOrWait(closes);
        out.took_back = gave_earlier_;
        out.reasoning += std::exchange(out.text, {});
        return leave(from, found.length);
    }

    Step inBlock(std::string_view from, Output& out, bool certain) {
        if (!marks::mayBegin(from[0]) && kind_ != marks::kBare) return Step::Plain;
        const marks::Found found = marks::closer(from, kind_);
        if (settled(found.match) != Match::Yes) return plainOrWait(found.match);
        const Match mention = mentioned(from.substr(found.length), certain);
        if (mention != Match::No) return mention == Match::Yes ? Step::Plain : Step::Wait;
        out.reasoning += std::string_view(block_).substr(std::min(opener_, block_.size()));
        block_.clear();
        return leave(from, found.length);
    }

    Step inGap(std::string_view from) {
        if (const Step found = open(from, State::Inside); found != Step::Plain) return found;
        marks::Found found = marks::anyOf(from, marks::kLeads);
        // The header of the answer's channel, or the closer once more.
        if (found.match == Match::No) found = marks::anyCloser(from);
        if (settled(found.match) != Match::Yes) return plainOrWait(found.match);
        const Match word = isToken(from) ? Match::No : beginsSentence(from.substr(found.length));
        return word == Match::No ? leave(from, found.length) : plainOrWait(word);
    }

    Step trailing(std::string_view from) {
        if (!trails_ || from[0] != '<' || isQuote(line_.glue())) return Step::Plain;
        const marks::Found found = marks::anyOf(from, marks::kTrails);
        if (settled(found.match) != Match::Yes) return plainOrWait(found.match);
        rest_ = from.substr(found.length);
        return Step::Gone;
    }

    // Whether what follows a mark at the start of a line makes it a word: "<think> is", "</think>, ".
    Match beginsSentence(std::string_view next) const {
        if (next.empty() || next == " ") return settled(Match::Partly);
        const bool word = next.size() > 1 && next[0] == ' ' && next[1] >= 'a' && next[1] <= 'z';
        return word || isOneOf(",;:)]/|`", next[0]) ? Match::Yes : Match::No;
    }

    Step open(std::string_view from, State into) {
        if (!marks::mayBegin(from[0])) return Step::Plain;
        const marks::Found found = marks::opener(from);
        if (settled(found.match) != Match::Yes) return plainOrWait(found.match);
        const std::string_view next = from.substr(found.length);
        const Match word = isToken(from) ? Match::No : beginsSentence(next);
        return word == Match::No ? enter(from, found, into) : plainOrWait(word);
    }

    Step enter(std::string_view from, const marks::Found& found, State into) {
        kind_ = found.kind;
        opener_ = found.length;
        trails_ = trails_ || kind_ >= marks::kHarmony || from[1] == '|';
        if (into == State::Maybe) block_ = from.substr(0, found.length);
        line_ = {};
        state_ = into;
        rest_ = from.substr(found.length);
        return Step::Gone;
    }

    Step leave(std::string_view from, size_t length) {
        trails_ = trails_ || from.substr(0, 2) == "<|";
        state_ = State::Gap;
        line_ = {};
        rest_ = from.substr(length);
        return Step::Gone;
    }

    // A closer behind text that has no opener ends it when it stands where closers stand: at the start of a
    // line, right behind a sentence, or at the end of a line.
    Match closesWhatNeverOpened(bool token, std::string_view after) const {
        if (line_.blank()) return token ? Match::Yes : opposite(beginsSentence(after));
        if (openers_mentioned_ || line_.inQuotes() || opensQuote(line_.glue())) return Match::No;
        constexpr size_t kFarthest = 64;  // or every piece of a long run of blanks would be read again
        const size_t next = after.substr(0, kFarthest).find_first_not_of(" \t\r");
        if (next == std::string_view::npos && after.size() < kFarthest && !last_) return Match::Partly;
        const bool line_ends =
            next == std::string_view::npos ? after.size() < kFarthest : after[next] == '\n';
        const char glue = line_.glue();
        if (!glue) return line_.afterSentence() && line_.hasWords() && line_ends ? Match::Yes : Match::No;
        if (!after.empty() && after[0] == glue) return Match::No;  // **</think>**
        return token || line_.afterSentence() || line_ends ? Match::Yes : Match::No;
    }

    // Whether the closer of a block that did open is quoted or, where the block may be none, a word of a
    // sentence.
    Match mentioned(std::string_view after, bool certain) const {
        const char glue = line_.glue();
        if (isQuote(glue)) {
            if (after.empty() && !last_) return Match::Partly;
            return !after.empty() && after[0] == glue ? Match::Yes : Match::No;
        }
        if (certain || glue || line_.blank() || kind_ >= marks::kHarmony) return Match::No;
        if (after.empty()) return last_ ? Match::No : Match::Partly;
        return isOneOf(" ,.;:!?)", after[0]) ? Match::Yes : Match::No;
    }

    // A mark that is no word of anybody's prose, unlike <think>.
    static bool isToken(std::string_view mark) { return mark[0] != '<' || mark[1] == '|'; }
    static bool isOneOf(std::string_view set, char c) { return c && set.find(c) != std::string_view::npos; }
    static bool isQuote(char c) { return isOneOf("`'\"|*", c); }
    static bool opensQuote(char c) { return isOneOf("'([{<|/=", c); }

    static Match opposite(Match m) {
        return m == Match::Partly ? m : m == Match::Yes ? Match::No : Match::Yes;
    }
    // Nothing comes any more that could complete it.
    Match settled(Match m) const { return m == Match::Partly && last_ ? Match::No : m; }
    Step plainOrWait(Match m) const { return settled(m) == Match::Partly ? Step::Wait : Step::Plain; }

    void passOn(Output& out) {
        const std::string_view c = rest_.substr(0, 1);
        if (state_ == State::Maybe) {
            block_ += c;
        } else if (state_ == State::Inside) {
            out.reasoning += c;
        } else {
            give(out, c);
        }
        line_.see(c[0]);
        rest_.remove_prefix(1);
    }

    void give(Output& out, std::string_view text) {
        out.text += text;
        text_given_ = text_given_ || !text.empty();
    }

    static std::string_view trimLeft(std::string_view s) {
        while (!s.empty() && isSpace(s.front())) s.remove_prefix(1);
        return s;
    }

    State state_;
    std::string held_;       // not decided yet
    std::string_view rest_;  // of held_, while it is gone through
    bool last_ = false;
    std::string lead_;     // State::Start: white space
    std::string block_;    // State::Maybe: what was said of it, opener included
    size_t opener_ = 0;    // length of that opener
    size_t kind_ = 0;      // of the block
    bool trails_ = false;  // the model writes special tokens, which may also stand behind its answer
    bool text_given_ = false, gave_earlier_ = false;
    bool openers_mentioned_ = false;
    LinePosition line_;
};

}  // namespace stepper::kit
