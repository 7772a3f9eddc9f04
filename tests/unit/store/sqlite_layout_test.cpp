// Files that older versions have written.
#include "core/store/sqlite/location.h"
#include "core/store/sqlite/schema.h"
#include "tests/unit/store/sqlite_support.h"

namespace stepper::store::sqlite {
namespace {

// As it was released: whatever becomes of the steps in the program, files of this layout are out there.
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

// One job of each kind a file may hold: ready, delayed, leased, ended; a batch with items that are leased,
// held and following; an answer.
constexpr const char* kContents = R"sql(
INSERT INTO job(seq, id, kind, tenant, lane, priority, state, fence, attempts, wanted_by, background, flies,
    cache_key, created_at, updated_at, finished_at, run_at, lease_until, leader, parent, item, label, total, busy,
    cap) VALUES
  (1, 'ready', 'generate', 't', 0, 5, 0, 0, 0, 1, 0, 1, 'k1', 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0),
  (2, 'delayed', 'generate', 't', 0, 5, 1, 1, 1, 2, 0, 0, '', 1, 1, NULL, 1767229200000, NULL, NULL, NULL, NULL,
   NULL, 0, 0, 0),
  (3, 'leased', 'generate', 't', 0, 4, 2, 7, 0, 1, 0, 0, '', 1, 1, NULL, NULL, 99, NULL, NULL, NULL, NULL, 0, 0, 0),
  (4, 'done', 'generate', 'u', 0, 5, 10, 1, 0, 1, 0, 0, 'k2', 1, 2, 2, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0),
  (5, 'batch', '', 'u', 1, 5, 5, 0, 0, 1, 0, 0, '', 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 3, 1, 1),
  (6, 'item0', 'generate', 'u', 1, 5, 2, 1, 0, 1, 0, 0, '', 1, 1, NULL, NULL, 99, NULL, 5, 0, 'zero', 0, 0, 0),
  (7, 'item1', 'generate', 'u', 1, 5, 3, 0, 0, 1, 0, 0, '', 1, 1, NULL, NULL, NULL, NULL, 5, 1, 'one', 0, 0, 0),
  (8, 'item2', 'generate', 'u', 1, 5, 4, 0, 0, 1, 0, 0, 'k1', 1, 1, NULL, NULL, NULL, 1, 5, 2, 'two', 0, 0, 0);
INSERT INTO request(seq, body) SELECT seq, CAST('request of ' || id AS BLOB) FROM job WHERE total = 0;
INSERT INTO outcome VALUES(4, CAST('result' AS BLOB), CAST('meta' AS BLOB));
INSERT INTO idempotency VALUES('once', 'digest', 1);
INSERT INTO cache VALUES('k2', 'done', 'generate', 1, 4000000000000, 4000000000001, 0, CAST('result' AS BLOB),
  CAST('meta' AS BLOB));
)sql";

class SqliteLayout : public SqliteTest {
protected:
    SqliteLayout() {
        EXPECT_TRUE(createFile(path_).ok());
        script("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
        script(kLayout1);
        script("PRAGMA application_id = 1400137072; PRAGMA user_version = 1");
        script(kContents);
    }

    // All rows of a table as one text, but for what later layouts need no more (whom a job follows is the
    // flight of its cache key) or have besides.
    std::string rows(const std::string& table) {
        const std::string columns =
            scalar("SELECT group_concat('quote(' || name || ')', '||') FROM pragma_table_info('" + table +
                   "') WHERE name NOT IN ('leader', 'retried_as', 'start_at', 'anew')");
        return scalar("SELECT group_concat(r, ';') FROM (SELECT " + columns + " AS r FROM " + table +
                      " ORDER BY rowid)");
    }
    std::string schema() {
        return scalar("SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)");
    }
};

TEST_F(SqliteLayout, EveryRowOfLayout1IsKept) {
    std::string before;
    for (const char* table : {"job", "request", "outcome", "idempotency", "cache"}) before += rows(table);
    {
        const Found found = openDatabase(path_, tuning_);
        ASSERT_TRUE(found.db) << found.error.message;
    }
    EXPECT_EQ(scalar("PRAGMA user_version"), std::to_string(currentLayout()));
    std::string after;
    for (const char* table : {"job", "request", "outcome", "idempotency", "cache"}) after += rows(table);
    EXPECT_EQ(after, before);
    EXPECT_NE(after.find("item2"), std::string::npos);
    EXPECT_EQ(scalar("PRAGMA integrity_check"), "ok");
}

TEST_F(SqliteLayout, ItsJobsGoOn) {
    open();
    EXPECT_EQ(find("ready")->state, JobState::Ready);
    EXPECT_EQ(find("delayed")->attempts, 1);
    EXPECT_EQ(find("leased")->state, JobState::Ready);
    EXPECT_EQ(find("leased")->crashes, 1);
    EXPECT_EQ(find("done")->result, "result");
    EXPECT_EQ(store_->cached("k2")->value().result, "result");
    NewJob again = plainJob("another");
    again.idempotency_key = "once";
    again.request_digest = "digest";
    EXPECT_EQ(store_->enqueue(again)->id, "ready");

    EXPECT_EQ(claimOne().id, "leased");
    const Lease ready = claimOne();
    EXPECT_EQ(ready.id, "ready");
    EXPECT_TRUE(finish(ready));
    EXPECT_EQ(find("item2")->result, "result");
    for (const char* item : {"item0", "item1"}) {
        const Lease lease = claimOne(Lane::Batch);
        EXPECT_EQ(lease.id, item);
        EXPECT_TRUE(finish(lease));
    }
    EXPECT_EQ(find("batch")->state, JobState::Done);
    ASSERT_TRUE(store_->putNotes(std::vector<Note>{{"a", "1"}}).ok());
    EXPECT_EQ(store_->notes("")->size(), 1u);
}

TEST_F(SqliteLayout, ACopyOfLayout1IsLeftBesideIt) {
    const std::string before = rows("job");
    open();
    close();
    path_ += ".layout-1";
    EXPECT_EQ(scalar("PRAGMA user_version"), "1");
    EXPECT_EQ(rows("job"), before);
}

TEST_F(SqliteLayout, ItBecomesWhatANewFileIs) {
    open();
    close();
    const std::string migrated = schema();
    path_ = (folder_ / "new.db").string();
    open();
    close();
    EXPECT_EQ(migrated, schema());
}

// What a client was told in an older version holds in this one.
TEST_F(SqliteLayout, ItsTimeLimitsAndBatchesGoOn) {
    // Now, by the tests' clock.
    script("UPDATE job SET deadline = 1767225600000 WHERE id IN ('ready', 'item1', 'item2')");
    open();
    EXPECT_EQ(find("batch")->busy, 1);
    const auto overdue = must(store_->claimOverdue(9, kLease, 24h * 40000)).jobs;
    ASSERT_EQ(overdue.size(), 3u);
    for (const Claimed& c : overdue) EXPECT_TRUE(finish(c.lease));
    EXPECT_EQ(find("batch")->done, 2);
}

TEST_F(SqliteLayout, ADamagedOneIsSavedIntoTheNewLayout) {
    const auto page = std::stoll(scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'cache'"));
    overwrite(path_, (page - 1) * 4'096, std::string(4'096, '\xee'));
    options_.recover = true;
    open();
    ASSERT_TRUE(salvaged_);
    // Only the page, not the table that the layout did not have.
    EXPECT_EQ(salvaged_->gaps, 1);
    EXPECT_TRUE(find("ready"));
    EXPECT_FALSE(store_->cached("k2")->has_value());
    EXPECT_TRUE(store_->notes("")->empty());
}

}  // namespace
}  // namespace stepper::store::sqlite
