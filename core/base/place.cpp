#include "core/base/place.h"

#include <algorithm>

#include "core/base/text.h"

namespace stepper {
namespace {

void add(std::string& out, std::string_view text) {
    out += utf8Prefix(text, Place::kMostBytes - std::min(out.size(), Place::kMostBytes));
}

}  // namespace

std::vector<const Place*> Place::way() const {
    std::vector<const Place*> out;
    for (const Place* place = this; place; place = place->in_) out.push_back(place);
    std::reverse(out.begin(), out.end());
    return out;
}

std::string Place::dotted() const {
    std::string out;
    for (const Place* place : way()) {
        if (place->is_index_) {
            add(out, "[" + std::to_string(place->index_) + "]");
        } else {
            if (!out.empty()) add(out, ".");
            add(out, place->name_);
        }
    }
    return out;
}

std::string Place::pointer() const {
    std::string out;
    for (const Place* place : way()) {
        if (!place->in_)
            add(out, place->name_);
        else
            addPointerToken(out, place->is_index_ ? std::to_string(place->index_) : place->name_);
    }
    return out;
}

void addPointerToken(std::string& pointer, std::string_view token) {
    std::string escaped = "/";
    for (const char c : token.substr(0, Place::kMostBytes))
        c == '~' ? escaped += "~0" : c == '/' ? escaped += "~1" : escaped += c;
    add(pointer, escaped);
}

}  // namespace stepper
