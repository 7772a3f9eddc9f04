// The layout of the database and the steps from older ones. `user_version` says which one a file has.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "core/store/sqlite/db.h"

namespace stepper::store::sqlite {

// "Step" in ASCII: marks the files that are ours.
inline constexpr int64_t kApplicationId = 0x53746570;

// Position n of the list leads from layout n to n + 1; layout 0 is an empty file.
std::span<const char* const> layoutSteps();
inline int64_t currentLayout() { return static_cast<int64_t>(layoutSteps().size()); }

// Takes a database of layout `from` through the rest of `steps`, each in a transaction of its own. One that
// holds data is copied to `<path>.layout-<from>` before. Errors stick to `db`.
void migrate(Db& db, const std::string& path, int64_t from, std::span<const char* const> steps);

}  // namespace stepper::store::sqlite
