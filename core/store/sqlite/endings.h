// How live jobs end or change hands, with everything that hangs on it: followers, the batch, its next items.
#pragma once
#include <string_view>

#include "core/store/sqlite/row.h"

namespace stepper::store::sqlite {

// Done or Failed; followers end alike.
void conclude(Transaction& tx, const Row& row, JobState state, std::string_view result,
              std::string_view meta);
// The same, but a follower takes over: the first that is no item, else the first. The others follow that one.
void concludeAlone(Transaction& tx, const Row& row, JobState state, std::string_view result,
                   std::string_view meta);
// A live job. A follower takes over, as above.
void cancel(Transaction& tx, const Row& row);
// Makes held items of the batch ready while there is room, by priority.
void admit(Transaction& tx, int64_t batch);
// A batch all of whose items are final.
void closeBatch(Transaction& tx, int64_t batch);
// A leased job whose worker died without a word.
void recover(Transaction& tx, const Row& row, const CrashPolicy& policy);

}  // namespace stepper::store::sqlite
