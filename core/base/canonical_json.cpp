#include "core/base/canonical_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>
#include <vector>

namespace stepper {
namespace {

using json::Value;
using json::view;

// UTF-8 sorts as code points do, UTF-16 puts the surrogates of what is above U+FFFF before U+E000 to U+FFFF.
// Those begin with EE and EF, and these bytes begin nothing else and continue nothing.
bool utf16Less(std::string_view a, std::string_view b) {
    const auto rank = [](char c) {
        const int byte = static_cast<unsigned char>(c);
        return byte == 0xEE || byte == 0xEF ? byte + 0x10 : byte;
    };
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                        [&](char x, char y) { return rank(x) < rank(y); });
}

void appendEscaped(char c, std::string& out) {
    constexpr char kHex[] = "0123456789abcdef";
    switch (c) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\b': out += "\\b"; return;
        case '\t': out += "\\t"; return;
        case '\n': out += "\\n"; return;
        case '\f': out += "\\f"; return;
        case '\r': out += "\\r"; return;
        default: break;
    }
    if (static_cast<unsigned char>(c) >= 0x20) {
        out += c;
        return;
    }
    out += "\\u00";
    out += kHex[c >> 4];
    out += kHex[c & 15];
}

void appendString(std::string_view s, std::string& out) {
    out += '"';
    for (const char c : s) appendEscaped(c, out);
    out += '"';
}

void append(const Value& v, std::string& out);

void appendArray(const Value& v, std::string& out) {
    const char* separator = "";
    out += '[';
    for (const Value& item : v.GetArray()) {
        out += std::exchange(separator, ",");
        append(item, out);
    }
    out += ']';
}

void appendObject(const Value& v, std::string& out) {
    std::vector<const Value::Member*> members;
    members.reserve(v.MemberCount());
    for (const auto& m : v.GetObject()) members.push_back(&m);
    std::stable_sort(members.begin(), members.end(),
                     [](const auto* a, const auto* b) { return utf16Less(view(a->name), view(b->name)); });
    const char* separator = "";
    out += '{';
    for (const auto* m : members) {
        out += std::exchange(separator, ",");
        appendString(view(m->name), out);
        out += ':';
        append(m->value, out);
    }
    out += '}';
}

void append(const Value& v, std::string& out) {
    switch (v.GetType()) {
        case rapidjson::kNullType: out += "null"; return;
        case rapidjson::kFalseType: out += "false"; return;
        case rapidjson::kTrueType: out += "true"; return;
        case rapidjson::kObjectType: return appendObject(v, out);
        case rapidjson::kArrayType: return appendArray(v, out);
        case rapidjson::kStringType: return appendString(view(v), out);
        case rapidjson::kNumberType: out += es6Number(v.GetDouble()); return;
    }
}

}  // namespace

std::string canonicalJson(const Value& v) {
    std::string out;
    append(v, out);
    return out;
}

std::string es6Number(double d) {
    STEPPER_ASSERT(std::isfinite(d));
    if (d == 0) return "0";
    if (d < 0) return '-' + es6Number(-d);

    char buffer[32];  // "1.7976931348623157e+308" is as long as it gets
    const char* const end = std::to_chars(buffer, std::end(buffer), d, std::chars_format::scientific).ptr;
    const std::string_view text(buffer, static_cast<size_t>(end - buffer));
    const size_t mark = text.find('e');
    std::string digits(text.substr(0, mark));
    if (digits.size() > 1) digits.erase(1, 1);
    int exponent = 0;
    std::from_chars(text.data() + mark + (text[mark + 1] == '+' ? 2 : 1), end, exponent);

    // d is 0.DIGITS times ten to the power of `point`.
    const int count = static_cast<int>(digits.size()), point = exponent + 1;
    const auto zeros = [](int n) { return std::string(static_cast<size_t>(n), '0'); };
    if (point > 21 || point < -5) {
        if (count > 1) digits.insert(1, ".");
        return digits + (exponent < 0 ? "e-" : "e+") + std::to_string(std::abs(exponent));
    }
    if (point <= 0) return "0." + zeros(-point) + digits;
    if (point >= count) return digits + zeros(point - count);
    return digits.insert(static_cast<size_t>(point), ".");
}

}  // namespace stepper
