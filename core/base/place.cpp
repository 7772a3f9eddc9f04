#include "core/base/place.h"

#include <algorithm>

#include "core/base/text.h"

namespace stepper {

std::vector<const Place*> Place::way() const {
    std::vector<const Place*> out;
    for (const Place* place = this; place; place = place->in_) out.push_back(place);
    std::reverse(out.begin(), out.end());
    return out;
}

std::string Place::dotted() const {
    std::string out;
    for (const Place* place : way()) {
        if (out.size() > kMostBytes) break;
        if (place->is_index_)
            out += '[' + std::to_string(place->index_) + ']';
        else
            (out += out.empty() ? "" : ".") += place->name_.substr(0, kMostBytes + 1);
    }
    return std::string(utf8Prefix(out, kMostBytes));
}

std::string Place::pointer() const {
    std::string out;
    for (const Place* place : way()) {
        if (!place->in_)
            out += place->name_.substr(0, kMostBytes + 1);
        else
            addPointerToken(out, place->is_index_ ? std::to_string(place->index_) : place->name_);
    }
    return std::string(utf8Prefix(out, kMostBytes));
}

void addPointerToken(std::string& pointer, std::string_view token) {
    if (pointer.size() > Place::kMostBytes) return;
    pointer += '/';
    for (const char c : token.substr(0, Place::kMostBytes))
        c == '~' ? pointer += "~0" : c == '/' ? pointer += "~1" : pointer += c;
}

}  // namespace stepper
