#include "core/schema/values.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <vector>

namespace stepper::schema {

using json::Value;
using json::view;

namespace {

void appendCanonical(const Value& v, std::string& out) {
    if (v.IsDouble() && v.GetDouble() == std::trunc(v.GetDouble()) && std::abs(v.GetDouble()) < 0x1p63) {
        out += std::to_string(static_cast<int64_t>(v.GetDouble()));
    } else if (v.IsArray()) {
        out += '[';
        for (const Value& item : v.GetArray()) appendCanonical(item, out), out += ',';
        out += ']';
    } else if (v.IsObject()) {
        std::vector<const Value::Member*> members;
        for (const auto& m : v.GetObject()) members.push_back(&m);
        std::sort(members.begin(), members.end(),
                  [](const auto* a, const auto* b) { return view(a->name) < view(b->name); });
        out += '{';
        for (const auto* m : members)
            appendCanonical(m->name, out), out += ':', appendCanonical(m->value, out), out += ',';
        out += '}';
    } else {
        out += json::dump(v);
    }
}

}  // namespace

std::string canonical(const Value& v) {
    std::string out;
    appendCanonical(v, out);
    return out;
}

bool isIntegral(const Value& v) {
    return v.IsInt64() || v.IsUint64() ||
           (v.IsDouble() && std::isfinite(v.GetDouble()) && v.GetDouble() == std::trunc(v.GetDouble()));
}

bool isOfType(const Value& v, std::string_view type) {
    if (type == "null") return v.IsNull();
    if (type == "boolean") return v.IsBool();
    if (type == "object") return v.IsObject();
    if (type == "array") return v.IsArray();
    if (type == "string") return v.IsString();
    return type == "integer" ? isIntegral(v) : v.IsNumber();
}

int compare(const Value& a, const Value& b) {
    const auto order = [](auto x, auto y) { return (x > y) - (x < y); };
    if (a.IsInt64() && b.IsInt64()) return order(a.GetInt64(), b.GetInt64());
    if (a.IsUint64() && b.IsUint64()) return order(a.GetUint64(), b.GetUint64());
    return order(a.GetDouble(), b.GetDouble());
}

bool isMultiple(const Value& v, const Value& of) {
    if (v.IsUint64() && of.IsUint64()) return v.GetUint64() % of.GetUint64() == 0;
    if (v.IsInt64() && of.IsInt64()) return v.GetInt64() % of.GetInt64() == 0;
    if (std::fmod(v.GetDouble(), of.GetDouble()) == 0) return true;
    // 0.0075 is a multiple of 0.0001, whatever binary fractions make of it.
    const double ratio = v.GetDouble() / of.GetDouble();
    return std::abs(ratio - std::round(ratio)) <= 4 * DBL_EPSILON * std::abs(ratio);
}

}  // namespace stepper::schema
