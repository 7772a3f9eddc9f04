#include "core/engine/plan.h"

#include <algorithm>

#include "core/base/text.h"

namespace stepper::engine {
namespace {

bool isNamed(const ProviderEntry& entry, const std::vector<std::string>& names) {
    return std::any_of(names.begin(), names.end(),
                       [&](const auto& n) { return equalsIgnoreCase(n, entry.spec.name); });
}

}  // namespace

std::vector<const ProviderEntry*> plan(const Snapshot& snapshot, const std::vector<std::string>& preferred,
                                       const std::vector<std::string>& excluded) {
    std::vector<const ProviderEntry*> out;
    const auto add = [&](const ProviderEntry& entry) {
        if (!isNamed(entry, excluded) && std::find(out.begin(), out.end(), &entry) == out.end())
            out.push_back(&entry);
    };
    for (const auto& name : preferred)
        if (const auto* entry = snapshot.find(name)) add(*entry);
    for (const auto& entry : snapshot.providers)
        if (entry.enabled()) add(entry);
    return out;
}

}  // namespace stepper::engine
