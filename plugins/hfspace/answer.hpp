// Where the text is in what a Space answers. Pure.
#pragma once
#include <optional>
#include <string>

#include "stepper/kit/failure.hpp"
#include "stepper/kit/json.hpp"

namespace hfspace {

namespace kit = stepper::kit;
using kit::Value;

// The first of report, output, text, response, generated_text, result, data[0] that is not blank; an object
// or an array as compact JSON. Empty when there is none.
std::string inferText(const Value& response);

// The text of one output of a Gradio endpoint: a string, a message, or the last answer of a chat history.
// nullopt for anything else.
std::optional<std::string> gradioText(const Value& output);

// What the data of Gradio's `error` event stands for: null, an object with an `error`, or a string.
stepper::sdk::Failure gradioFailure(int status, const kit::Headers& headers, const Value& data);

}  // namespace hfspace
