// stepper/kit/think.hpp - takes a leading <think>...</think> block out of an answer, piece by piece.
#pragma once
#include <string>
#include <string_view>

#include "stepper/kit/text.hpp"

namespace stepper::kit {

// Feed the pieces of one answer in order, then finish once. Holds back only what may still turn out to be
// white space before a tag or part of one, so the outcome does not depend on where the pieces were cut. A
// block that never closes is all reasoning.
class ThinkStripper {
public:
    struct Output {
        std::string text, reasoning;
    };

    // `opened`: the chat template has already written <think>, the answer starts inside the block.
    explicit ThinkStripper(bool opened = false) : state_(opened ? State::Inside : State::Start) {}

    Output feed(std::string_view piece) {
        Output out;
        held_ += piece;
        if (state_ == State::Start) start();
        if (state_ == State::Inside) inside(out);
        if (state_ == State::Gap) gap();
        if (state_ == State::After) out.text += take(held_.size());
        return out;
    }

    Output finish() {
        Output out;
        (state_ == State::Inside ? out.reasoning : out.text) = take(held_.size());
        if (state_ == State::Gap) out.text.clear();
        state_ = State::After;
        return out;
    }

private:
    enum class State { Start, Inside, Gap, After };
    static constexpr std::string_view kOpen = "<think>", kClose = "</think>";

    std::string take(size_t n) {
        std::string taken = held_.substr(0, n);
        held_.erase(0, n);
        return taken;
    }

    void start() {
        size_t space = 0;
        while (space < held_.size() && isSpace(held_[space])) ++space;
        const std::string_view rest = std::string_view(held_).substr(space);
        if (rest.starts_with(kOpen)) {
            take(space + kOpen.size());
            state_ = State::Inside;
        } else if (!kOpen.starts_with(rest)) {
            state_ = State::After;
        }
    }

    void inside(Output& out) {
        if (const size_t close = held_.find(kClose); close != std::string::npos) {
            out.reasoning = take(close);
            take(kClose.size());
            state_ = State::Gap;
            return;
        }
        size_t pending = std::min(held_.size(), kClose.size() - 1);
        while (!kClose.starts_with(std::string_view(held_).substr(held_.size() - pending))) --pending;
        out.reasoning = take(held_.size() - pending);
    }

    // The white space between the block and the answer belongs to neither.
    void gap() {
        size_t space = 0;
        while (space < held_.size() && isSpace(held_[space])) ++space;
        take(space);
        if (!held_.empty()) state_ = State::After;
    }

    State state_;
    std::string held_;
};

// A whole answer. Also knows the block whose opening tag the chat template has swallowed.
inline ThinkStripper::Output stripThink(std::string_view answer) {
    const size_t close = answer.find("</think>");
    const bool opener_missing =
        close != std::string_view::npos && answer.substr(0, close).find("<think>") == std::string_view::npos;
    ThinkStripper stripper(opener_missing);
    ThinkStripper::Output out = stripper.feed(answer), rest = stripper.finish();
    return {out.text + rest.text, out.reasoning + rest.reasoning};
}

}  // namespace stepper::kit
