#include "core/plugin/library/wanted.h"

#include <algorithm>

namespace stepper::plugin {

Result<void> checkPin(const std::filesystem::path& file, const std::string& sha256, const Wanted& wanted) {
    const std::string stem = file.stem();
    const auto refused = [&](const std::string& why) {
        return Error{ErrorClass::Config, file.string() + ": " + why};
    };
    const auto pin = wanted.sha256.find(stem);
    if (pin == wanted.sha256.end()) {
        if (!wanted.require_sha256) return {};
        return refused(
            "no hash is configured for it, and plugins.require_sha256 is on; if you trust it, "
            "add plugins.sha256." +
            stem + ": " + sha256);
    }
    const auto& allowed = pin->second;
    if (std::find(allowed.begin(), allowed.end(), sha256) != allowed.end()) return {};
    return refused("its sha256 is " + sha256 + ", which plugins.sha256." + stem + " does not name");
}

}  // namespace stepper::plugin
