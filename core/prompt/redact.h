// Takes secrets out of text before it leaves the process: to a provider, into a log, into an error message.
// Pure, any thread, linear in the text's length.
#pragma once
#include <string>
#include <string_view>

namespace stepper::prompt {

// The owner's setting security.redact, as the functions that render user content take it.
enum class Redaction { Off, On };

// The text with every secret replaced by "[REDACTED:<kind>]". Known are private key blocks, the token formats
// listed in redact_token.cpp, bearer and basic credentials, passwords in URLs, and values assigned to names
// such as password or api_key when they look like a literal rather than code.
std::string redact(std::string_view text);

}  // namespace stepper::prompt
