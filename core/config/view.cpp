#include "core/config/view.h"

#include "core/base/id.h"
#include "core/secrets/redact.h"

namespace stepper::config {

json::Value View::of(const Secret& value) const {
    if (value.empty()) return of(std::string());
    return of(masked() ? std::string(kMask) : sha256Hex(value.reveal()));
}

// As it may be written.
json::Value View::of(const TrustedProxies& value) const {
    if (!value.words().empty()) return of(value.words());
    if (value.hops() == 0 || value.hops() == TrustedProxies::kAll) return of(value.hops() != 0);
    return of(uint64_t{value.hops()});
}

json::Value View::of(const Price& value) const {
    json::Value out(rapidjson::kObjectType);
    json::set(out, "input", of(value.input), memory);
    json::set(out, "output", of(value.output), memory);
    return out;
}

json::Value View::of(const Window& value) const {
    json::Value out(rapidjson::kObjectType);
    if (value.requests) json::set(out, "requests", of(*value.requests), memory);
    if (value.tokens) json::set(out, "tokens", of(*value.tokens), memory);
    json::set(out, "per", of(value.per), memory);
    return out;
}

json::Value View::withoutSecrets(const json::Value& from, bool secret) const {
    if (from.IsObject()) {
        json::Value out(rapidjson::kObjectType);
        for (const auto& [name, value] : from.GetObject())
            json::set(out, json::view(name),
                      withoutSecrets(value, secret || secrets::isSecretName(json::view(name))), memory);
        return out;
    }
    if (from.IsArray()) {
        json::Value out(rapidjson::kArrayType);
        for (const auto& item : from.GetArray()) out.PushBack(withoutSecrets(item, secret), memory);
        return out;
    }
    if (!from.IsString()) return json::Value(from, memory);
    return of(secret ? std::string(kMask) : secrets::redact(json::view(from)));
}

}  // namespace stepper::config
