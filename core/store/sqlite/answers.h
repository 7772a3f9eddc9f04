// Answers kept under their cache keys.
#pragma once
#include <optional>
#include <string_view>

#include "core/store/sqlite/row.h"

namespace stepper::store::sqlite {

// Unexpired only.
std::optional<CachedAnswer> findAnswer(Db& db, std::string_view key, const Moment& at);
std::optional<CachedAnswer> freshAnswer(Transaction& tx, std::string_view key, bool accept);
void keepAnswer(Transaction& tx, const Row& job, const Ending& ending);
void pauseRefresh(Transaction& tx, std::string_view key, milliseconds pause);
bool forgetAnswer(Transaction& tx, std::string_view key, std::string_view made_by);

}  // namespace stepper::store::sqlite
