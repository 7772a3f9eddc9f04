// Jobs as they are shown. Reads only.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "core/store/sqlite/db.h"
#include "core/store/store.h"

namespace stepper::store::sqlite {

std::optional<Job> findJob(Db& db, std::string_view id);
std::optional<NewJob> findRequest(Db& db, std::string_view id);
std::optional<StoredBatch> findBatch(Db& db, std::string_view id);
// `now`: by the store's time.
std::vector<std::string> retryable(Db& db, const RetryFilter& filter, int64_t now);
std::vector<BatchItem> itemsOf(Db& db, std::string_view batch_id);
std::vector<Job> list(Db& db, const ListFilter& filter);
Stats stats(Db& db, int64_t now);

}  // namespace stepper::store::sqlite
