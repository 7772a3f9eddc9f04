// Reads one JSON object or array as models write them. What is not JSON but can mean one thing only is put
// right: raw control characters in strings, comments, trailing commas, strings in single quotes, True, False
// and None, backslashes that escape nothing, and an end that is missing. Nothing is guessed: a missing comma,
// an unescaped quote or a bare word makes the value a broken one. Pure, any thread; time is linear in what is
// read.
#pragma once
#include <string>
#include <string_view>

#include "core/base/effort.h"

namespace stepper::output {

struct Reading {
    enum class State {
        Complete,
        Cut,     // the text, or its code fence, ends inside the value
        Broken,  // neither JSON nor near to it
    };
    State state = State::Broken;
    size_t end = 0;            // behind what was read; of a broken value, where it stopped to be one
    bool has_content = false;  // a member's name or an element was read: then it is no prose in brackets
    bool repaired = false;
    // The value without white space, its numbers and escapes as they were. Of a cut one what was complete: a
    // string, number or name that the end of the text may have shortened is left out, and so is what is left
    // empty by that; "" when nothing is left. Whether it is valid UTF-8, small and flat enough is not
    // checked.
    std::string json;
};

// `at` is at an opening bracket. `finished`: the model ended by itself, so a number at the very end is whole.
// `effort` is a step a byte; when it ends, the value is a broken one.
Reading readLeniently(std::string_view text, size_t at, bool finished, Effort& effort);

}  // namespace stepper::output
