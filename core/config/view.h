// Values as JSON, for people to see. Durations are in milliseconds; null: there is nothing to show. One
// thread.
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/config/config.h"
#include "core/config/effective.h"

namespace stepper::config {

constexpr std::string_view kMask = "********";

struct View {
    json::Allocator& memory;
    Secrets secrets;

    bool masked() const { return secrets == Secrets::Masked; }

    template <class N>
    requires std::is_arithmetic_v<N> json::Value of(N value)
    const { return json::Value(value); }
    json::Value of(uint16_t value) const { return json::Value(int{value}); }
    json::Value of(milliseconds value) const { return json::Value(int64_t{value.count()}); }
    json::Value of(const std::string& value) const { return json::text(value, memory); }
    json::Value of(const std::filesystem::path& value) const { return of(value.string()); }
    json::Value of(const Secret& value) const;
    json::Value of(const TrustedProxies& value) const;
    json::Value of(const Price& value) const;
    json::Value of(const Window& value) const;
    template <class T>
    json::Value of(const std::optional<T>& value) const {
        return value ? of(*value) : json::Value();
    }
    template <class T>
    json::Value of(const std::vector<T>& values) const {
        json::Value out(rapidjson::kArrayType);
        for (const auto& value : values) out.PushBack(of(value), memory);
        return out;
    }
    template <class T>
    json::Value of(const std::map<std::string, T>& values) const {
        json::Value out(rapidjson::kObjectType);
        for (const auto& [key, value] : values) json::set(out, key, of(value), memory);
        return out;
    }
    // JSON without what its names or its looks give away as secret.
    json::Value withoutSecrets(const json::Value& from, bool secret = false) const;
};

}  // namespace stepper::config
