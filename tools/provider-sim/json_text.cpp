#include "tools/provider-sim/json_text.h"

namespace stepper::sim {

J::J(std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    text_.reserve(text.size() + 2);
    text_ += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            text_ += '\\';
            text_ += c;
        } else if (c == '\n') {
            text_ += "\\n";
        } else if (byte < 0x20) {
            text_ += "\\u00";
            text_ += kHex[byte >> 4];
            text_ += kHex[byte & 15];
        } else {
            text_ += c;
        }
    }
    text_ += '"';
}

J J::raw(std::string json) {
    J j(nullptr);
    j.text_ = std::move(json);
    return j;
}

J obj(std::initializer_list<std::pair<std::string_view, J>> members) {
    std::string out = "{";
    for (const auto& [key, value] : members) {
        if (value.isAbsent()) continue;
        if (out.size() > 1) out += ',';
        out.append("\"").append(key).append("\":").append(value.str());
    }
    return J::raw(out + '}');
}

J arr(const std::vector<J>& items) {
    std::string out = "[";
    for (const auto& item : items) {
        if (item.isAbsent()) continue;
        if (out.size() > 1) out += ',';
        out += item.str();
    }
    return J::raw(out + ']');
}

}  // namespace stepper::sim
