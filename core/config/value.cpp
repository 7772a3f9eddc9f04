#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/base/units.h"
#include "core/config/expand.h"
#include "core/config/reader.h"

namespace stepper::config {
namespace {

constexpr size_t kMostShownBytes = 40;

// The whole text as a number.
template <class T>
std::optional<T> parseNumber(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string shown(const Node& node) {
    switch (node.kind) {
        case Node::Kind::Null: return "nothing";
        case Node::Kind::Sequence: return "a list";
        case Node::Kind::Mapping: return "a mapping";
        case Node::Kind::Scalar: break;
    }
    const std::string_view start = utf8Prefix(node.text, kMostShownBytes);
    return fmt::format("\"{}{}\"", start, start.size() < node.text.size() ? "..." : "");
}

}  // namespace

std::string formatBytes(uint64_t n) {
    if (n >= 1 << 20 && n % (1 << 20) == 0) return fmt::format("{}MiB", n >> 20);
    if (n >= 1 << 10 && n % (1 << 10) == 0) return fmt::format("{}KiB", n >> 10);
    return std::to_string(n);
}

std::string range::integer(int64_t min, int64_t max) {
    return fmt::format("a whole number from {} to {}", min, max);
}

std::string range::number(double min, double max) { return fmt::format("a number from {} to {}", min, max); }

std::string range::duration(milliseconds min, milliseconds max) {
    return fmt::format("a duration from {} to {}", formatDuration(min), formatDuration(max));
}

std::string range::bytes(uint64_t min, uint64_t max) {
    return fmt::format("a size from {} to {}", formatBytes(min), formatBytes(max));
}

std::string range::oneOf(const std::vector<std::string>& names) {
    return fmt::format("one of {}", fmt::join(names, ", "));
}

std::optional<bool> parseBoolean(std::string_view text) {
    for (const char* word : {"true", "yes", "on", "1"})
        if (equalsIgnoreCase(text, word)) return true;
    for (const char* word : {"false", "no", "off", "0"})
        if (equalsIgnoreCase(text, word)) return false;
    return std::nullopt;
}

Value Value::at(std::string_view key, const Node& child) const {
    return {child, path.empty() ? std::string(key) : fmt::format("{}.{}", path, key), scope};
}

void Value::fail(std::string_view what) const { scope.problems.add(node.mark, path, what); }

void Value::failExpected(std::string_view what) const {
    fail(fmt::format("expected {}, not {}", what, shown(node)));
}

std::optional<std::string> Value::text(Unset unset) const {
    if (node.kind != Node::Kind::Scalar) {
        failExpected("a single value");
        return std::nullopt;
    }
    if (node.literal) return node.text;
    Expanded expanded = expand(node.text, scope.env);
    if (!expanded.problem.empty()) {
        fail(expanded.problem);
        return std::nullopt;
    }
    if (!expanded.unset.empty() && unset == Unset::IsError) {
        fail(fmt::format("environment variable {0} is not set; set it, or write ${{{0}:-default}}",
                         expanded.unset));
        return std::nullopt;
    }
    return std::move(expanded.text);
}

std::optional<bool> Value::boolean() const {
    const auto s = text();
    if (!s) return std::nullopt;
    const auto b = parseBoolean(trim(*s));
    if (!b) failExpected("true or false");
    return b;
}

std::optional<int64_t> Value::integer(int64_t min, int64_t max) const {
    const auto s = text();
    if (!s) return std::nullopt;
    const auto n = parseNumber<int64_t>(trim(*s));
    if (n && *n >= min && *n <= max) return n;
    failExpected(range::integer(min, max));
    return std::nullopt;
}

std::optional<double> Value::number(double min, double max) const {
    const auto s = text();
    if (!s) return std::nullopt;
    const auto n = parseNumber<double>(trim(*s));
    if (n && *n >= min && *n <= max) return n;
    failExpected(range::number(min, max));
    return std::nullopt;
}

std::optional<milliseconds> Value::duration(milliseconds min, milliseconds max) const {
    const auto s = text();
    if (!s) return std::nullopt;
    const auto d = parseDuration(*s);
    if (d && *d >= min && *d <= max) return d;
    failExpected(range::duration(min, max) + ", such as 500ms, 30s or 1h30m");
    return std::nullopt;
}

std::optional<uint64_t> Value::bytes(uint64_t min, uint64_t max) const {
    const auto s = text();
    if (!s) return std::nullopt;
    const auto n = parseByteSize(*s);
    if (n && *n >= min && *n <= max) return n;
    failExpected(range::bytes(min, max) + ", such as 64KiB or 10MiB");
    return std::nullopt;
}

std::optional<size_t> Value::oneOf(const std::vector<std::string>& names) const {
    const auto s = text();
    if (!s) return std::nullopt;
    const std::string_view word = trim(*s);
    const auto it =
        std::find_if(names.begin(), names.end(), [&](const auto& n) { return equalsIgnoreCase(n, word); });
    if (it != names.end()) return static_cast<size_t>(it - names.begin());
    failExpected(range::oneOf(names));
    return std::nullopt;
}

}  // namespace stepper::config
