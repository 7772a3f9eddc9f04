// From a model's text to the value the caller gets. Pure, any thread.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/output/schema.h"

namespace stepper::output {

enum class Mode {
    Json,  // the JSON value in the text, checked against the schema if there is one
    Text,  // the text as it is, as a JSON string
};

struct Processed {
    std::string
        value;  // as JSON text without line breaks, its numbers digit by digit as the model wrote them
    bool repaired = false;              // the text was not JSON as it stood
    bool cut = false;                   // the text ended inside the value, of which this is what was complete
    std::vector<std::string> warnings;  // what could not be checked
};

// `schema` may be null and counts in Json mode only; `finish` is the provider's own ending, "" when it gave
// none. BadResponse "Validation failed: <reason>", or what `interrupt` said.
Result<Processed> process(std::string_view text, Mode mode, const OutputSchema* schema,
                          std::string_view finish, const Interrupt& interrupt = {});

// A JSON value as the client gets it, or BadResponse with what is wrong with the one that was generated.
using Check = std::function<Result<json::Document>(const json::Value& generated)>;

// The same for the JSON value in the text that passes the check.
Result<Processed> processAs(const Check& check, std::string_view text, std::string_view finish,
                            const Interrupt& interrupt = {});

}  // namespace stepper::output
