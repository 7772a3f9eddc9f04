#include "core/plugin/library/catalog.h"

namespace stepper::plugin {

std::vector<std::string> Catalog::kinds() const {
    std::vector<std::string> out;
    for (const auto& [kind, image] : by_kind) out.push_back(kind);
    return out;
}

}  // namespace stepper::plugin
