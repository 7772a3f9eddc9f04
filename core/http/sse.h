// Server-sent events as text (the WHATWG's text/event-stream). Pure, safe from any thread.
#pragma once
#include <string>
#include <string_view>

namespace stepper::http::sse {

// One event, with the empty line that ends it. An empty name or id is left out. A line break (LF, CR or CRLF)
// continues its field on a further line, so that no text can forge another.
std::string event(std::string_view name, std::string_view id, std::string_view data);

// The same event as event() in pieces, for data of one line: the opening, the data, and kClosing.
std::string opening(std::string_view name, std::string_view id);
inline constexpr std::string_view kClosing = "\n\n";
bool isOneLine(std::string_view data);

// Means nothing to the client: keeps proxies from closing a quiet stream.
inline constexpr std::string_view kComment = ": \n\n";

}  // namespace stepper::http::sse
