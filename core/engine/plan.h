// The order in which a request asks its providers. Pure.
#pragma once
#include <string>
#include <vector>

#include "core/engine/snapshot.h"

namespace stepper::engine {

// Preferred providers first, in the order named, then the others as configured, without the excluded ones.
// Disabled providers take part only when preferred by name (so that their absence is explained). Unknown
// names are ignored; names match case-insensitively. The pointers live as long as the snapshot.
std::vector<const ProviderEntry*> plan(const Snapshot& snapshot, const std::vector<std::string>& preferred,
                                       const std::vector<std::string>& excluded);

}  // namespace stepper::engine
