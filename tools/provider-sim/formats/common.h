// What the formats share. Pure functions.
#pragma once
#include <span>

#include "core/base/json.h"
#include "tools/provider-sim/formats/format.h"
#include "tools/provider-sim/json_text.h"

namespace stepper::sim {

// The request body as a JSON object, or the error a provider would report.
Result<json::Document> parseBody(const Call& call);

// Adds every text below `content`: a string, an array of strings or parts, or an object with text, content,
// message, parts, messages or contents.
void appendText(const json::Value& content, std::string& prompt);

// `text` in pieces of about `bytes`, cut between characters. Empty for an empty text.
std::vector<std::string_view> pieces(std::string_view text, size_t bytes);
std::vector<std::string_view> pieces(std::string&& text, size_t bytes) = delete;  // the pieces would dangle

// "data: ...\n\n", with "event: name\n" before it when a name is given.
std::string sse(const J& data, std::string_view event = {});

// The provider's word for a neutral finish ("stop", "length", ...); words not in the table stay as they are.
using Word = std::pair<std::string_view, std::string_view>;
std::string_view translate(std::string_view word, std::span<const Word> table);

// How a format reports each kind of error unless the failure says otherwise. A table has all kinds.
struct Wording {
    ErrorKind kind;
    int status;
    const char* message;
};
const Wording& wordingOf(std::span<const Wording> table, ErrorKind kind);
int statusOf(std::span<const Wording> table, const Failure& failure);
// `again` introduces the wait: "Please try again in".
std::string messageOf(std::span<const Wording> table, const Failure& failure,
                      std::string_view again = "Please try again in");

// prefix-<serial in hex>
std::string idOf(std::string_view prefix, const Ask& ask);

// "350ms", "7.66s", "6m0s": durations as Go prints them.
std::string goDuration(milliseconds d);

}  // namespace stepper::sim
