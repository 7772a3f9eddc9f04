// The answer to a client whose connection or request there are no means for.
#pragma once
#include <string>
#include <string_view>

namespace stepper::http {

// Answers 503, with when to come again, and ends our side of the non-blocking socket; its owner closes it.
// Without waiting: a client that is too slow even for this sees the bare close. Any thread.
void turnAway(int fd, bool security_headers) noexcept;

// The same as bytes that take no memory to make, for when there is none.
extern const std::string_view kNoMemory;

}  // namespace stepper::http
