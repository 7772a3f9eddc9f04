// The plugins of a folder: what loaded, by kind, and what was refused and why.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/plugin/image.h"

namespace stepper::plugin {

struct Refused {
    std::filesystem::path file;
    std::string reason;
};

struct Catalog {
    std::map<std::string, std::shared_ptr<const PluginImage>, std::less<>> by_kind;
    std::vector<Refused> refused;

    std::vector<std::string> kinds() const;
};

// Loads every *.so directly inside `dir`, in the order of their names; of two with one kind the first stays.
// A folder that cannot be read is one refusal. Never fails as a whole.
Catalog loadCatalog(const std::filesystem::path& dir, const LoadOptions& options);

}  // namespace stepper::plugin
