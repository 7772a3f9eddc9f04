#include <algorithm>
#include <charconv>

#include "core/base/json.h"
#include "core/config/reader.h"

namespace stepper::config {
namespace {

bool isOneOf(std::string_view s, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), s) != words.end();
}

bool isInfiniteOrNan(std::string_view s) {
    if (s.starts_with('+') || s.starts_with('-')) s.remove_prefix(1);
    return isOneOf(s, {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"});
}

// YAML's core schema spells integers [-+]?[0-9]+, 0o7 and 0xF.
std::optional<int64_t> asInteger(std::string_view s) {
    int base = 10;
    if (s.starts_with("0o") || s.starts_with("0x")) {
        base = s[1] == 'o' ? 8 : 16;
        s.remove_prefix(2);
        if (s.starts_with('-')) return std::nullopt;
    } else if (s.starts_with('+')) {
        s.remove_prefix(1);
        if (s.starts_with('-')) return std::nullopt;
    }
    int64_t n = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n, base);
    if (error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
    return n;
}

// from_chars takes a minus but no plus, and words such as "inf", which are texts here.
std::optional<double> asNumber(std::string_view s) {
    if (s.starts_with('+') && !s.starts_with("+-")) s.remove_prefix(1);
    if (s.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return std::nullopt;
    double n = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n);
    if (error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
    return n;
}

void writePlain(const Value& v, const std::string& s, json::Writer& out) {
    if (isOneOf(s, {"true", "True", "TRUE"})) {
        out.Bool(true);
    } else if (isOneOf(s, {"false", "False", "FALSE"})) {
        out.Bool(false);
    } else if (isInfiniteOrNan(s)) {
        v.failExpected("a number JSON can hold");
        out.Null();
    } else if (const auto i = asInteger(s)) {
        out.Int64(*i);
    } else if (const auto d = asNumber(s)) {
        out.Double(*d);
    } else {
        out.String(s.data(), static_cast<rapidjson::SizeType>(s.size()));
    }
}

enum class Form { Expanded, AsWritten };

bool isExpanded(const Node& node) { return !node.literal && node.text.find("${") != std::string::npos; }

// A problem leaves null in its place: the writer insists on complete objects.
void write(const Value& v, Form form, json::Writer& out) {
    switch (v.node.kind) {
        case Node::Kind::Null: out.Null(); return;
        case Node::Kind::Sequence:
            out.StartArray();
            read::list(v, v.node.items.size(), [&](const Value& item) { write(item, form, out); });
            out.EndArray();
            return;
        case Node::Kind::Mapping:
            out.StartObject();
            for (const Entry& e : v.node.entries) {
                out.Key(e.key.data(), static_cast<rapidjson::SizeType>(e.key.size()));
                write(v.at(e.key, e.value), form, out);
            }
            out.EndObject();
            return;
        case Node::Kind::Scalar: break;
    }
    const bool as_written = form == Form::AsWritten && isExpanded(v.node);
    const auto s = as_written ? v.node.text : v.text();
    if (!s)
        out.Null();
    else if (as_written || v.node.quoted)
        out.String(s->data(), static_cast<rapidjson::SizeType>(s->size()));
    else
        writePlain(v, *s, out);
}

std::string text(const Value& v, Form form) {
    json::Buffer buffer;
    json::Writer writer(buffer);
    write(v, form, writer);
    return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

void read::json(const Value& v, std::string& out, std::string& as_written) {
    if (!v.node.isMapping()) return v.failExpected("a mapping of keys to values");
    out = text(v, Form::Expanded);
    as_written = text(v, Form::AsWritten);
}

}  // namespace stepper::config
