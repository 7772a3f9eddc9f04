// Finds what may be the JSON answer in a model's text. Pure, any thread; time grows linearly with the text,
// whatever it holds.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/effort.h"

namespace stepper::output {

struct Candidate {
    std::string json;       // compact, as Reading::json; not yet checked by json::parse
    bool repaired = false;  // the text was not JSON as it stood
    bool cut = false;       // the text ended inside it; "" in `json`: before anything was complete
    bool doubtful = false;  // a citation or an index, most likely: only a schema can tell it from an answer
};

// Best first. A text that is one JSON value, or a code fence of it, is the only candidate. Otherwise objects
// and arrays: the last one that stands apart (in a fence marked json or not at all, or on lines of its own,
// or after a colon), then the last in running text. A text that ends inside one that stands apart has no
// other candidate: what came before was not the answer. Empty brackets in prose are none, nor is any part of
// a broken value. `finished`: the model ended by itself. `effort` is a step a byte; when it ends, so does the
// search, and what it found by then is not the answer.
std::vector<Candidate> candidates(std::string_view text, bool finished, Effort& effort);

}  // namespace stepper::output
