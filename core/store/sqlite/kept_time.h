// The store's time, as the database keeps it from one process to the next.
#pragma once
#include <string>
#include <string_view>

#include "core/store/sqlite/transaction.h"

namespace stepper::store::sqlite {

// "" when nothing is kept yet.
std::string keptTime(Db& db);
bool isKeptTime(const Note& note);
void keepTime(Transaction tx, std::string_view text);
// A database without it was written by wall clocks: what they stored while they were ahead is brought back to
// `now`, durations as they were. Looks at every row, once.
void bringBackToNow(Db& db, int64_t now);

}  // namespace stepper::store::sqlite
