// Jobs and batches as they come in.
#pragma once
#include "core/store/sqlite/row.h"

namespace stepper::store::sqlite {

Enqueued enqueue(Transaction& tx, const NewJob& job);
Enqueued enqueueBatch(Transaction& tx, const NewBatch& batch);

}  // namespace stepper::store::sqlite
