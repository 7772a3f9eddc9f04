// Kinds of settings: what one may hold, how it is read, and, where its type does not say, how it is shown
// and written. Values; any thread.
#pragma once
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/base/units.h"
#include "core/config/reader.h"
#include "core/config/view.h"

namespace stepper::config {

// The targets of numbers may be optional.
struct Flag {
    std::string type() const { return "true or false"; }
    void read(const Value& v, bool& out) const { out = v.boolean().value_or(out); }
};

struct Integer {
    int64_t min, max;
    std::string type() const { return range::integer(min, max); }
    template <class T>
    void read(const Value& v, T& out) const {
        if (const auto n = v.integer(min, max)) out = static_cast<T>(*n);
    }
};

struct Number {
    double min, max;
    std::string type() const { return range::number(min, max); }
    template <class T>
    void read(const Value& v, T& out) const {
        if (const auto n = v.number(min, max)) out = *n;
    }
};

struct Duration {
    milliseconds min, max;
    std::string type() const { return range::duration(min, max); }
    template <class T>
    void read(const Value& v, T& out) const {
        if (const auto d = v.duration(min, max)) out = *d;
    }
};

struct Size {
    uint64_t min, max;
    std::string type() const { return range::bytes(min, max); }
    void read(const Value& v, uint64_t& out) const { out = v.bytes(min, max).value_or(out); }
    std::string write(uint64_t value) const { return formatBytes(value); }
};

struct OneOf {
    std::vector<std::string> names;
    std::string type() const { return range::oneOf(names); }
    void read(const Value& v, std::string& out) const {
        if (const auto i = v.oneOf(names)) out = names[*i];
    }
};

// What is said in several ways is shown in the first.
template <class E>
struct Choice {
    std::vector<std::pair<std::string, E>> choices;

    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& c : choices) out.push_back(c.first);
        return out;
    }
    std::string type() const { return range::oneOf(names()); }
    void read(const Value& v, E& out) const {
        if (const auto i = v.oneOf(names())) out = choices[*i].second;
    }
    json::Value show(const E& value, const View& view) const {
        const auto it =
            std::find_if(choices.begin(), choices.end(), [&](const auto& c) { return c.second == value; });
        return view.of(it->first);
    }
};

// All others.
template <class T>
struct Special {
    std::string_view what;
    void (*reader)(const Value&, T&);
    std::string type() const { return std::string(what); }
    void read(const Value& v, T& out) const { reader(v, out); }
};

template <class K, class T>
json::Value shown(const K& kind, const T& value, const View& view) {
    if constexpr (requires { kind.show(value, view); })
        return kind.show(value, view);
    else
        return view.of(value);
}

// As YAML has it. Any JSON will do, but words are nicer without quotes.
std::string inYaml(const json::Value& value);

template <class K, class T>
std::string written(const K& kind, const T& value) {
    if constexpr (requires { kind.write(value); }) return kind.write(value);
    if constexpr (std::is_same_v<T, milliseconds>) return formatDuration(value);
    json::Document document;
    return inYaml(shown(kind, value, View{document.GetAllocator(), Secrets::Masked}));
}

}  // namespace stepper::config
