// Jobs and batches as they come in.
#pragma once
#include "core/store/sqlite/row.h"

namespace stepper::store::sqlite {

Enqueued enqueue(Transaction& tx, const NewJob& job);
Enqueued enqueueBatch(Transaction& tx, const NewBatch& batch);
// Scheduled ones of the lane whose time has come take part, as if they came now; a bounded number.
void startDue(Transaction& tx, Lane lane);

}  // namespace stepper::store::sqlite
