// Takes secrets out of text before it leaves the process: to a provider, into a log, into an error message.
// Pure, any thread, linear in the text's length.
//
// One table tells the formats of tokens (shapes.cpp), one the names that secrets are assigned to (names.cpp),
// both as the public lists of secret scanners have them. A text is read word by word: the first two
// characters of a word decide whether any format is worth comparing.
#pragma once
#include <string>
#include <string_view>

namespace stepper::secrets {

// The text with every secret replaced by "[REDACTED:<kind>]". Known are private key blocks, tokens of known
// formats, the credentials of headers, URLs, command lines and netrc files, and values assigned to names such
// as password or api_key when they look like a literal rather than code or a placeholder.
std::string redact(std::string_view text);

// A key of somebody's options whose value is not to be shown. Rather once too often.
bool isSecretName(std::string_view name);

// What an example has in place of a key: your-api-key-here, <token>, xxxx, sk-...
bool isPlaceholder(std::string_view value);

}  // namespace stepper::secrets
