// stepper/kit/config.hpp - a provider's block of providers.yaml, as most plugins read it.
#pragma once
#include <cstdint>
#include <string_view>

#include "stepper/kit/json.hpp"

namespace stepper::kit {

inline std::string_view withoutEndSlashes(std::string_view url) {
    while (url.ends_with('/')) url.remove_suffix(1);
    return url;
}

// Immutable, shared by the provider's sessions; what it hands out points into it. The types of what the
// config schema names have been checked.
class Config {
public:
    explicit Config(std::string_view config_json) : doc_(parse(config_json)) {}

    // Without slashes at its end; empty when there is none.
    std::string_view baseUrl() const { return withoutEndSlashes(string(doc_, "base_url")); }
    // For requests that name none; may be empty.
    std::string_view model() const { return string(doc_, "model"); }
    // An object, empty when there are none.
    const Value& options() const {
        const Value* set = object(doc_, "options");
        return set ? *set : none_;
    }

    // Of the options.
    std::string_view word(std::string_view name, std::string_view otherwise) const {
        return find(options(), name) ? string(options(), name) : otherwise;
    }
    bool flag(std::string_view name, bool otherwise) const {
        return boolean(options(), name).value_or(otherwise);
    }
    int64_t count(std::string_view name, int64_t otherwise) const {
        return integer(options(), name).value_or(otherwise);
    }

private:
    const Document doc_;
    const Value none_ = newObject();
};

}  // namespace stepper::kit
