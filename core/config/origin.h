// Web origins as browsers write them in the Origin header. Pure, any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace stepper::config {

// Why no browser will ever send this origin, or why it must not be trusted, and what to write instead; none
// for "*" and for what a browser may send. RFC 6454, section 6.1, and the WHATWG's URL serialising: lower
// case, no default port, nothing after the host and port.
std::optional<std::string> originProblem(std::string_view origin);

}  // namespace stepper::config
