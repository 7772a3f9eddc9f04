// Text that refuses to grow past its limit. A value.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace stepper::prompt {

class Bounded {
public:
    explicit Bounded(size_t max_bytes) : limit_(max_bytes) {}

    // Nothing is added any more once something did not fit.
    void add(std::string_view s) {
        if (s.size() > limit_ - text_.size()) overflowed_ = true;
        if (!overflowed_) text_ += s;
    }
    bool overflowed() const { return overflowed_; }
    std::string take() && { return std::move(text_); }

private:
    size_t limit_;
    bool overflowed_ = false;
    std::string text_;
};

}  // namespace stepper::prompt
