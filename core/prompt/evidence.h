// Makes evidence fit: long texts lose their middle, long lists are sampled. Pure, any thread. Sizes are bytes
// of UTF-8; no cut falls inside a character.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace stepper::prompt {

// The text if it has at most `max_bytes`. Else about two thirds of that from its start and one third from its
// end, cut at line ends, and between them a line that says how much was left out. A line too long for its
// share is cut inside. `max_bytes` is at least 256; the result never exceeds it.
std::string cutMiddle(std::string_view text, size_t max_bytes);

// One "- item" per line, at most `max_items` (2 or more) of them, taken evenly from first to last, and a line
// that says how many were left out. An item longer than `max_item_bytes` keeps its end, where paths differ.
std::string sampledList(const std::vector<std::string>& items, size_t max_items, size_t max_item_bytes);

}  // namespace stepper::prompt
