// Regular expressions for patterns written by strangers: RE2 underneath, so time grows linearly with the text
// on a flat stack. ECMA-262 spellings that RE2 writes otherwise are translated; look-around and
// back-references do not exist, and sizes are bounded. Immutable once compiled: search() may be called from
// any thread.
#pragma once
#include <cstddef>
#include <memory>
#include <string_view>

#include "core/base/result.h"

namespace re2 {
class RE2;
}

namespace stepper {

class Pattern {
public:
    // With the reason: InvalidRequest when it is no regular expression, Unsupported when it may be one but
    // asks for what a linear search cannot do. Adds to `effort` what that took, in instructions: of the
    // program, or of one that would have been too large.
    static Result<Pattern> compile(std::string_view source, size_t& effort);
    static Result<Pattern> compile(std::string_view source) {
        size_t effort = 0;
        return compile(source, effort);
    }

    // Whether some part of the UTF-8 text matches.
    bool search(std::string_view text) const;

    // Size of the program, in instructions.
    size_t size() const;

private:
    explicit Pattern(std::shared_ptr<const re2::RE2> compiled) : compiled_(std::move(compiled)) {}
    std::shared_ptr<const re2::RE2> compiled_;
};

}  // namespace stepper
