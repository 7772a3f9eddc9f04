// Work on its way to workers and back.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/store/sqlite/row.h"
#include "core/store/turns.h"

namespace stepper::store::sqlite {

// `turns` are those of the lane.
Claims claim(Transaction& tx, Turns& turns, Lane lane, int max, milliseconds lease);
Claims claimOverdue(Transaction& tx, int max, milliseconds lease, milliseconds max_wait);
// Nobody works on these jobs: they are ready again.
void unclaim(Transaction& tx, std::span<const Claimed> jobs);
std::vector<std::string> heartbeat(Transaction& tx, std::span<const Beat> beats, milliseconds lease);
bool finish(Transaction& tx, const Lease& lease, const Ending& ending);
bool postpone(Transaction& tx, const Lease& lease, const Postponement& p);
// Leases that ended at or before this moment of the steady clock.
int reap(Transaction& tx, int64_t until, const CrashPolicy& policy);

}  // namespace stepper::store::sqlite
