#include "core/config/effective.h"

#include "core/config/settings.h"

namespace stepper::config {

std::string shownUrl(const std::string& url) {
    const size_t at = url.rfind('@'), scheme = url.find("://");
    if (at == std::string::npos || scheme == std::string::npos) return url;
    return url.substr(0, scheme + 3) + std::string(kMask) + url.substr(at);
}

json::Document effective(const Config& config, Secrets secrets) {
    json::Document out(rapidjson::kObjectType);
    const View view{out.GetAllocator(), secrets};
    show<Config>(settings(), config, view, out);
    show<Config>(catalogueSettings(), config, view, out);
    json::Value providers(rapidjson::kArrayType);
    for (const auto& p : config.providers)
        providers.PushBack(shownBy(providerSettings(), p, view), view.memory);
    json::set(out, "providers", std::move(providers), view.memory);
    return out;
}

}  // namespace stepper::config
