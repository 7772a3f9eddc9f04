#include "core/http/sse.h"

namespace stepper::http::sse {
namespace {

void put(std::string& out, std::string_view field, std::string_view value) {
    for (;;) {
        const auto end = value.find_first_of("\r\n");
        out.append(field).append(": ").append(value.substr(0, end)).append("\n");
        if (end == std::string_view::npos) return;
        value.remove_prefix(end + (value.substr(end).starts_with("\r\n") ? 2 : 1));
    }
}

}  // namespace

std::string opening(std::string_view name, std::string_view id) {
    std::string out;
    if (!name.empty()) put(out, "event", name);
    if (!id.empty()) put(out, "id", id);
    return out += "data: ";
}

bool isOneLine(std::string_view data) { return data.find_first_of("\r\n") == std::string_view::npos; }

std::string event(std::string_view name, std::string_view id, std::string_view data) {
    std::string out;
    if (!name.empty()) put(out, "event", name);
    if (!id.empty()) put(out, "id", id);
    put(out, "data", data);
    out += "\n";
    return out;
}

}  // namespace stepper::http::sse
