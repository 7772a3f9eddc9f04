// Identifiers and digests. Safe from any thread.
#pragma once
#include <string>
#include <string_view>

namespace stepper {

// RFC 9562 version 7 UUID in lower case: time-ordered, 74 random bits.
std::string newId();
// SHA-256 in lower case hex.
std::string sha256Hex(std::string_view bytes);

}  // namespace stepper
