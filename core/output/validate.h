// From a model's text to the value the caller gets. Pure, any thread.
#pragma once
#include <string_view>

#include "core/base/json.h"
#include "core/output/schema.h"

namespace stepper::output {

enum class Mode {
    Json,          // the JSON value in the text, checked against the schema if there is one
    Text,          // the text as it is, as a JSON string
    CommitReport,  // the report, checked and normalised
};

// `schema` may be null and counts in Json mode only. BadResponse "Validation failed: <reason>".
Result<json::Document> process(std::string_view text, Mode mode, const OutputSchema* schema);

}  // namespace stepper::output
