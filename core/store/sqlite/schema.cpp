#include "core/store/sqlite/schema.h"

#include <unistd.h>

namespace stepper::store::sqlite {

namespace {

// Every index but the ids' is partial, so that a job is in as few as its state needs. Requests and outcomes
// have tables of their own to keep the rows that a claim touches narrow. `lease_until` counts on the steady
// clock of the process that leased: leases end with it anyway, and jumps of wall time do not end them.
constexpr const char* kLayout1 = R"sql(
CREATE TABLE job(
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  tenant TEXT NOT NULL,
  lane INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  state INTEGER NOT NULL,
  fence INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0,
  progress INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL DEFAULT 1,
  wanted_by INTEGER NOT NULL,
  background INTEGER NOT NULL,
  flies INTEGER NOT NULL,
  cache_key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  finished_at INTEGER,
  run_at INTEGER,
  lease_until INTEGER,
  deadline INTEGER,
  leader INTEGER,
  parent INTEGER REFERENCES job ON DELETE CASCADE,
  item INTEGER,
  label TEXT,
  total INTEGER NOT NULL DEFAULT 0,
  done INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  busy INTEGER NOT NULL DEFAULT 0,
  cap INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX job_ready ON job(lane, priority, tenant, seq) WHERE state = 0;
CREATE INDEX job_delayed ON job(lane, run_at) WHERE state = 1;
CREATE INDEX job_leased ON job(lease_until) WHERE state = 2;
CREATE INDEX job_held ON job(parent, item) WHERE state = 3;
CREATE INDEX job_following ON job(leader) WHERE state = 4;
CREATE INDEX job_final ON job(finished_at) WHERE state >= 10 AND parent IS NULL;
CREATE UNIQUE INDEX job_flight ON job(cache_key) WHERE flies = 1;
CREATE INDEX job_item ON job(parent, item) WHERE parent IS NOT NULL;

CREATE TABLE request(
  seq INTEGER PRIMARY KEY REFERENCES job ON DELETE CASCADE,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE outcome(
  seq INTEGER PRIMARY KEY REFERENCES job ON DELETE CASCADE,
  result BLOB NOT NULL,
  meta BLOB NOT NULL
) STRICT;

CREATE TABLE idempotency(
  key TEXT NOT NULL UNIQUE,
  digest TEXT NOT NULL,
  job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE
) STRICT;
CREATE INDEX idempotency_job ON idempotency(job);

CREATE TABLE cache(
  key TEXT NOT NULL UNIQUE,
  job_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  fresh_until INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  refresh_after INTEGER NOT NULL DEFAULT 0,
  result BLOB NOT NULL,
  meta BLOB NOT NULL
) STRICT;
CREATE INDEX cache_expires ON cache(expires);
)sql";

constexpr const char* kLayout2 = R"sql(
CREATE TABLE note(
  name TEXT NOT NULL UNIQUE,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX job_overdue ON job(lane, deadline) WHERE state IN (0, 1) AND deadline IS NOT NULL;
)sql";

// `answered` is what a client was given from the cache under an idempotency key.
constexpr const char* kLayout3 = R"sql(
CREATE TABLE answered(
  key TEXT NOT NULL UNIQUE,
  digest TEXT NOT NULL,
  used_at INTEGER NOT NULL,
  job_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  fresh_until INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  result BLOB NOT NULL,
  meta BLOB NOT NULL
) STRICT;
CREATE INDEX answered_used ON answered(used_at);
DROP INDEX job_overdue;
CREATE INDEX job_overdue ON job(deadline) WHERE state IN (0, 1, 3, 4) AND deadline IS NOT NULL;
CREATE INDEX job_waiting ON job(created_at) WHERE state IN (0, 1);
DROP INDEX job_held;
CREATE INDEX job_held ON job(parent, priority, item) WHERE state = 3;
)sql";

// A follower waits for whoever flies under its cache key, so that a flight which changes hands concerns
// nobody else. The first that is no item of a batch is next.
constexpr const char* kLayout4 = R"sql(
DROP INDEX job_following;
ALTER TABLE job DROP COLUMN leader;
CREATE INDEX job_following ON job(cache_key, parent IS NOT NULL) WHERE state = 4;
)sql";

// Jobs that failed are kept longer than others, with the batches of which an item did: retention seeks each
// kind by its age. `retried_as` is the id of the job that was made to run a final one again.
constexpr const char* kLayout5 = R"sql(
ALTER TABLE job ADD COLUMN retried_as TEXT;
DROP INDEX job_final;
CREATE INDEX job_final ON job((state = 11 OR (state = 10 AND failed > 0)), finished_at)
  WHERE state >= 10 AND parent IS NULL;
)sql";

// `start_at` is when a job that came earlier takes part, from when its waiting counts; `anew`: not from the
// cache, then.
constexpr const char* kLayout6 = R"sql(
ALTER TABLE job ADD COLUMN start_at INTEGER;
ALTER TABLE job ADD COLUMN anew INTEGER NOT NULL DEFAULT 0;
CREATE INDEX job_scheduled ON job(lane, run_at) WHERE state = 6;
DROP INDEX job_waiting;
CREATE INDEX job_waiting ON job(coalesce(start_at, created_at)) WHERE state IN (0, 1);
)sql";

constexpr const char* kSteps[] = {kLayout1, kLayout2, kLayout3, kLayout4, kLayout5, kLayout6};

std::string quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
    return out + "'";
}

}  // namespace

std::span<const char* const> layoutSteps() { return kSteps; }

void migrate(Db& db, const std::string& path, int64_t from, std::span<const char* const> steps) {
    const auto target = static_cast<int64_t>(steps.size());
    if (from > 0 && from < target) {
        const std::string backup = path + ".layout-" + std::to_string(from);
        ::unlink(backup.c_str());
        db.script("VACUUM INTO " + quoted(backup));
    }
    for (int64_t layout = from; layout < target && !db.failed(); ++layout) {
        db.script("BEGIN IMMEDIATE");
        db.script(steps[static_cast<size_t>(layout)]);
        db.script("PRAGMA application_id = " + std::to_string(kApplicationId) +
                  "; PRAGMA user_version = " + std::to_string(layout + 1));
        db.script("COMMIT");
    }
}

}  // namespace stepper::store::sqlite
