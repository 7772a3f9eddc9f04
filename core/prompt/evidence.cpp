#include "core/prompt/evidence.h"

#include <algorithm>

#include "core/base/text.h"

namespace stepper::prompt {
namespace {

constexpr std::string_view kEllipsis = "…";
// Room for the line that tells what was left out, with two 20-digit numbers.
constexpr size_t kNoteBytes = 80;

// At most `max_bytes` from the end of s, from a character boundary on.
std::string_view utf8Suffix(std::string_view s, size_t max_bytes) {
    if (s.size() <= max_bytes) return s;
    size_t begin = s.size() - max_bytes;
    while (begin < s.size() && (static_cast<unsigned char>(s[begin]) & 0xC0) == 0x80) ++begin;
    return s.substr(begin);
}

// Whole lines as long as they fill at least half of the room; a giant line is cut rather than dropped.
std::string_view headOf(std::string_view text, size_t room) {
    const std::string_view head = utf8Prefix(text, room);
    const size_t line_end = head.rfind('\n');
    return line_end != std::string_view::npos && line_end >= room / 2 ? head.substr(0, line_end + 1) : head;
}

std::string_view tailOf(std::string_view text, size_t room) {
    const std::string_view tail = utf8Suffix(text, room);
    const size_t line_end = tail.find('\n');
    return line_end != std::string_view::npos && line_end < room / 2 ? tail.substr(line_end + 1) : tail;
}

}  // namespace

std::string cutMiddle(std::string_view text, size_t max_bytes) {
    if (text.size() <= max_bytes) return std::string(text);
    const size_t room = max_bytes - kNoteBytes;
    const std::string_view head = headOf(text, room - room / 3);
    const std::string_view tail = tailOf(text, room / 3);
    const std::string_view gone = text.substr(head.size(), text.size() - head.size() - tail.size());
    const auto lines = static_cast<size_t>(std::count(gone.begin(), gone.end(), '\n'));

    std::string out(head);
    if (!head.ends_with('\n')) out += '\n';
    out += "[... " + std::to_string(lines) + " lines, " + std::to_string(utf8Length(gone)) +
           " characters left out ...]\n";
    out += tail;
    return out;
}

std::string sampledList(const std::vector<std::string>& items, size_t max_items, size_t max_item_bytes) {
    const size_t shown = std::min(items.size(), max_items);
    std::string out;
    for (size_t i = 0; i < shown; ++i) {
        const std::string& item =
            shown == items.size() ? items[i] : items[i * (items.size() - 1) / (shown - 1)];
        out += i == 0 ? "- " : "\n- ";
        if (item.size() > max_item_bytes) out += kEllipsis;
        out += utf8Suffix(item, max_item_bytes);
    }
    if (shown < items.size())
        out += "\n[... " + std::to_string(items.size() - shown) + " of " + std::to_string(items.size()) +
               " left out, the rest sampled evenly ...]";
    return out;
}

}  // namespace stepper::prompt
