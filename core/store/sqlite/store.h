// The store in one SQLite file.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "core/store/open.h"
#include "core/store/sqlite/database.h"
#include "core/store/store.h"

namespace stepper::store::sqlite {

// See store::open(). `options.url` is not looked at.
Result<std::unique_ptr<Store>> open(const std::string& file, const OpenOptions& options, const Clock& clock,
                                    const Tuning& tuning = {}, std::optional<Salvaged>* salvaged = nullptr);

}  // namespace stepper::store::sqlite
