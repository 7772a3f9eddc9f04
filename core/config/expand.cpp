#include "core/config/expand.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace stepper::config {
namespace {

constexpr std::string_view kForms = "write ${NAME} or ${NAME:-default}, and $$ for a dollar sign";

struct Reference {
    std::string_view name;
    std::optional<std::string_view> fallback;
};

bool isNameChar(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// What stands between the braces.
std::optional<Reference> parseReference(std::string_view inside) {
    const auto end = std::find_if_not(inside.begin(), inside.end(), isNameChar);
    const std::string_view name = inside.substr(0, static_cast<size_t>(end - inside.begin()));
    const std::string_view rest = inside.substr(name.size());
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return std::nullopt;
    if (rest.empty()) return Reference{name, std::nullopt};
    if (!rest.starts_with(":-") || rest.find("${") != std::string_view::npos) return std::nullopt;
    return Reference{name, rest.substr(2)};
}

}  // namespace

Expanded expand(std::string_view text, const Environment& env) {
    Expanded out;
    while (!text.empty()) {
        const size_t dollar = std::min(text.find('$'), text.size());
        out.text += text.substr(0, dollar);
        text.remove_prefix(dollar);
        if (text.starts_with("$$")) {
            out.text += '$';
            text.remove_prefix(2);
        } else if (text.starts_with("${")) {
            const size_t close = text.find('}');
            const auto reference =
                close == std::string_view::npos ? std::nullopt : parseReference(text.substr(2, close - 2));
            if (!reference) {
                out.problem = fmt::format("malformed \"${{...}}\": {}", kForms);
                return out;
            }
            text.remove_prefix(close + 1);
            const auto it = env.find(reference->name);
            if (it != env.end() && !(it->second.empty() && reference->fallback))
                out.text += it->second;
            else if (reference->fallback)
                out.text += *reference->fallback;
            else if (out.unset.empty())
                out.unset = reference->name;
        } else if (!text.empty()) {
            out.text += '$';
            text.remove_prefix(1);
        }
    }
    return out;
}

std::string firstVariable(std::string_view text) {
    for (size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 2)) {
        if (!text.substr(at).starts_with("${")) continue;
        const size_t close = text.find('}', at);
        if (close == std::string_view::npos) return {};
        const auto reference = parseReference(text.substr(at + 2, close - at - 2));
        return reference ? std::string(reference->name) : std::string();
    }
    return {};
}

}  // namespace stepper::config
