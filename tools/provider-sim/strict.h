// Strict reading of JSON objects into structs: a table names every member, what it expects and how it is
// stored. An unknown member, a wrong type and a value out of range are errors that name the place and the
// nearest member.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/base/text.h"

namespace stepper::sim {

template <class T>
struct Member {
    std::string_view name;
    std::string_view expects;              // completes "expected ..."
    bool (*read)(const json::Value&, T&);  // false when the value is not what is expected
};

inline Error badValue(std::string_view path, std::string_view expects) {
    return {ErrorClass::InvalidRequest, std::string(path) + ": expected " + std::string(expects)};
}

template <class T>
Result<void> readObject(const json::Value& v, std::span<const Member<T>> members, T& out,
                        std::string_view path) {
    if (!v.IsObject()) return badValue(path, "an object");
    for (const auto& given : v.GetObject()) {
        const auto name = json::view(given.name);
        const Member<T>* member = nullptr;
        for (const auto& m : members)
            if (m.name == name) member = &m;
        if (!member) {
            std::vector<std::string> names;
            for (const auto& m : members) names.emplace_back(m.name);
            const auto slip = nearest(name, names);
            return Error{ErrorClass::InvalidRequest, std::string(path) + ": unknown member '" +
                                                         std::string(name) + "'" +
                                                         (slip ? ", did you mean '" + *slip + "'?" : "")};
        }
        if (!member->read(given.value, out))
            return badValue(std::string(path) + "." + std::string(name), member->expects);
    }
    return {};
}

// Readers shared by the tables: true and stored when the value fits.
inline bool readText(const json::Value& v, std::string& out) {
    if (!v.IsString()) return false;
    out = json::view(v);
    return true;
}

inline bool readFlag(const json::Value& v, bool& out) {
    if (!v.IsBool()) return false;
    out = v.GetBool();
    return true;
}

template <class N>
bool readNumber(const json::Value& v, N& out, int64_t min, int64_t max) {
    if (!v.IsInt64() || v.GetInt64() < min || v.GetInt64() > max) return false;
    out = static_cast<N>(v.GetInt64());
    return true;
}

// One of the listed names.
template <class E>
bool readChoice(const json::Value& v, E& out, std::span<const std::pair<std::string_view, E>> choices) {
    if (!v.IsString()) return false;
    for (const auto& [name, value] : choices) {
        if (name != json::view(v)) continue;
        out = value;
        return true;
    }
    return false;
}

}  // namespace stepper::sim
