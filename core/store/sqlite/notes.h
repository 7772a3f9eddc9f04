// Small texts beside the jobs.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "core/store/sqlite/transaction.h"

namespace stepper::store::sqlite {

void putNotes(Transaction& tx, std::span<const Note> notes);
std::vector<Note> findNotes(Db& db, std::string_view prefix, std::string_view from, size_t most);

}  // namespace stepper::store::sqlite
