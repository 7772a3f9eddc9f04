// What clients no longer want, and what is too old to keep.
#pragma once
#include <string_view>

#include "core/store/sqlite/row.h"

namespace stepper::store::sqlite {

Dropped drop(Transaction& tx, std::string_view id, bool force);
// A bounded number; whether more are left.
bool sweep(Transaction& tx, Retention retention);

}  // namespace stepper::store::sqlite
