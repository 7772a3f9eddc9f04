#include "tools/provider-sim/formats/format.h"

#include "core/base/text.h"

namespace stepper::sim {

std::string_view Call::header(std::string_view name) const {
    for (const auto& [key, value] : headers)
        if (equalsIgnoreCase(key, name)) return value;
    return {};
}

std::string_view Call::parameter(std::string_view name) const {
    std::string_view rest = query;
    while (!rest.empty()) {
        const auto pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
            return pair.substr(name.size() + 1);
    }
    return {};
}

const Format* formatOf(const Call& call) {
    const std::string_view path = call.path;
    const auto has = [&](std::string_view part) { return path.find(part) != std::string_view::npos; };
    if (path.ends_with("/chat/completions")) return &openAiFormat();
    if (has("/v1beta/models")) return &geminiFormat();
    if (path.ends_with("/models")) return &openAiFormat();
    if (path.ends_with("/v2/chat")) return &cohereV2Format();
    if (path.ends_with("/v1/chat")) return &cohereV1Format();
    if (path.ends_with("/v1/messages")) return &anthropicFormat();
    if (path.ends_with("/api/infer") || path.ends_with("/health")) return &spaceFormat();
    if (has("/call/") || path.ends_with("/config")) return &gradioFormat();
    if (path.ends_with("/generic")) return &genericFormat();
    return nullptr;
}

}  // namespace stepper::sim
