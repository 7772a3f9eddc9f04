// Saves what can still be read of a damaged database.
#pragma once
#include <string>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/store/open.h"
#include "core/store/sqlite/database.h"

namespace stepper::store::sqlite {

// Renames the database at `path` and makes a new one with every row that can be read. Nobody else may have it
// open. Config error when the files cannot be renamed or written.
Result<Salvaged> salvage(const std::string& path, WallTime now, const Tuning& tuning);

}  // namespace stepper::store::sqlite
