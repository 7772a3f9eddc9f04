#include "core/config/base_url.h"

#include <cctype>
#include <map>

#include <fmt/format.h>

#include "core/base/endpoint.h"
#include "core/config/defaults.h"
#include "core/config/yaml_tree.h"

namespace stepper::config {
namespace {

constexpr std::string_view kKind = "openai-compatible", kEndpoint = "/chat/completions", kVersion = "/v1";

using Catalogue = std::map<std::string, std::string, std::less<>>;

Catalogue readCatalogue() {
    Catalogue out;
    Problems none;
    const auto tree = parseYaml(std::string(defaultProvidersYaml()), "built-in providers.yaml", none);
    for (const Node& p : tree->find("providers")->items)
        if (p.find("plugin")->text == kKind) out.emplace(p.find("name")->text, p.find("base_url")->text);
    return out;
}

// By name; empty for one that is not ours.
std::string_view usualUrl(std::string_view name) {
    static const Catalogue catalogue = readCatalogue();
    const auto it = catalogue.find(name);
    return it == catalogue.end() ? std::string_view() : it->second;
}

// "/openai/v1", or empty.
std::string_view pathOf(std::string_view url) {
    const size_t slash = url.find('/', url.find("://") + 3);
    return slash == std::string_view::npos ? std::string_view() : url.substr(slash);
}

// Some segment is "v1", "v1beta", "v4".
bool hasVersion(std::string_view path) {
    for (size_t at = path.find("/v"); at != std::string_view::npos; at = path.find("/v", at + 1))
        if (at + 2 < path.size() && std::isdigit(static_cast<unsigned char>(path[at + 2]))) return true;
    return false;
}

// What is missing at the end; empty when nothing is, or nobody knows.
std::string_view missingEnd(std::string_view url, std::string_view usual) {
    const std::string_view path = pathOf(url), usual_path = pathOf(usual);
    if (!usual_path.ends_with(kVersion)) return {};
    if (path.empty()) return hostOf(url) == hostOf(usual) ? usual_path : kVersion;
    const bool lacks_version = path == usual_path.substr(0, usual_path.size() - kVersion.size());
    return lacks_version ? kVersion : std::string_view();
}

}  // namespace

BaseUrl readBaseUrl(std::string_view name, std::string_view plugin, std::string_view written,
                    bool inherited) {
    BaseUrl out{std::string(written), {}};
    if (plugin != kKind) return out;
    if (written.ends_with(kEndpoint)) {
        out.url.resize(written.size() - kEndpoint.size());
        out.remark =
            fmt::format("{} ends in {}, which is appended anyway: using {}", written, kEndpoint, out.url);
        return out;
    }
    const std::string_view usual = usualUrl(name), missing = missingEnd(written, usual);
    out.url += missing;
    if (!missing.empty())
        out.remark = fmt::format("{} ends before {}: using {}", written, missing, out.url);
    else if (inherited && pathOf(usual).ends_with(kVersion) && !hasVersion(pathOf(written)))
        out.remark = fmt::format(
            "{} has no version in its path and is used as it is; write {}{} if its calls begin there",
            written, written, kVersion);
    return out;
}

}  // namespace stepper::config
