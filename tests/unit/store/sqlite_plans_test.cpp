// Every statement that operations use is a seek in an index, whatever the table grows to.
#include <map>

#include <sqlite3.h>

#include "core/store/sqlite/answers.h"
#include "core/store/sqlite/arrivals.h"
#include "core/store/sqlite/endings.h"
#include "core/store/sqlite/leases.h"
#include "core/store/sqlite/location.h"
#include "core/store/sqlite/notes.h"
#include "core/store/sqlite/removals.h"
#include "core/store/sqlite/views.h"
#include "tests/unit/store/sqlite_support.h"

namespace stepper::store::sqlite {
namespace {

class SqlitePlans : public SqliteTest {
protected:
    SqlitePlans() {
        EXPECT_TRUE(createFile(path_).ok());
        db_ = openDatabase(path_, tuning_).db;
    }

    Transaction tx() { return {{1'000'000, 1'000}, *db_, effects_}; }

    // Every statement the connection has prepared, with its plan.
    std::map<std::string, std::string> plans() {
        std::map<std::string, std::string> plans;
        for (sqlite3_stmt* s = sqlite3_next_stmt(db_->handle(), nullptr); s;
             s = sqlite3_next_stmt(db_->handle(), s))
            plans[sqlite3_sql(s)];
        for (auto& [sql, plan] : plans) {
            sqlite3_stmt* explain = nullptr;
            EXPECT_EQ(sqlite3_prepare_v2(db_->handle(), ("EXPLAIN QUERY PLAN " + sql).c_str(), -1, &explain,
                                         nullptr),
                      SQLITE_OK);
            while (sqlite3_step(explain) == SQLITE_ROW)
                plan += std::string(reinterpret_cast<const char*>(sqlite3_column_text(explain, 3))) + "\n";
            sqlite3_finalize(explain);
        }
        return plans;
    }

    // The plan of the one statement with this text in it.
    std::string planOf(const std::string& part) {
        std::string found;
        for (const auto& [sql, plan] : plans())
            if (sql.find(part) != std::string::npos) found += plan;
        return found;
    }

    std::unique_ptr<Db> db_;
    Effects effects_;
    Turns turns_;
};

TEST_F(SqlitePlans, OperationsScanNothing) {
    Transaction t = tx();
    NewBatch batch = newBatch(
        "batch", 1,
        {keyedItem("item0", "shared"), keyedItem("item1", "shared"), plainItem("item2"), plainItem("item3")});
    batch.idempotency_key = "key of batch";
    sqlite::enqueueBatch(t, batch);
    NewJob live = keyedJob("live", "shared");
    live.idempotency_key = "key";
    sqlite::enqueue(t, live);
    sqlite::enqueue(t, plainJob("plain"));
    sqlite::enqueueBatch(t, newBatch("leads", 1, {keyedItem("leader", "other")}));
    sqlite::enqueueBatch(t, newBatch("follows", 1, {keyedItem("follower", "other")}));
    drop(t, "leads", false);
    const auto leader = claim(t, turns_, Lane::Live, 1, milliseconds{1'000});
    ASSERT_EQ(leader.jobs.size(), 1u);
    EXPECT_EQ(leader.jobs[0].lease.id, "item0");
    const auto claims = claim(t, turns_, Lane::Live, 2, milliseconds{1'000});
    ASSERT_EQ(claims.jobs.size(), 1u);
    const Lease lease = claims.jobs[0].lease;
    const Beat beat{lease, 50};
    heartbeat(t, {&beat, 1}, milliseconds{1'000});
    postpone(t, lease, {milliseconds{1}, true, "meta"});
    NewJob late = keyedJob("late", "shared");
    late.time_limit = milliseconds{0};
    sqlite::enqueue(t, late);
    unclaim(t, claimOverdue(t, 9, milliseconds{1'000}, milliseconds{1'000'000}).jobs);
    drop(t, "late", false);
    Ending kept;
    kept.cache = CacheTimes{1min, 2min};
    Row made_before;
    made_before.cache_key = "answered";
    keepAnswer(t, made_before, kept);
    NewJob answered = keyedJob("none", "answered");
    answered.idempotency_key = "key of answered";
    sqlite::enqueue(t, answered);
    sqlite::enqueue(t, answered);
    t.now += 10;
    const auto again = claim(t, turns_, Lane::Live, 1, milliseconds{1'000});
    ASSERT_EQ(again.jobs.size(), 1u);
    Ending ending;
    ending.cache = CacheTimes{1ms, 2ms};
    sqlite::finish(t, again.jobs[0].lease, ending);
    sqlite::finish(t, leader.jobs[0].lease, ending);
    pauseRefresh(t, "shared", milliseconds{1});
    forgetAnswer(t, "shared", "");
    reap(t, 1'000'000, {});
    drop(t, "item2", true);
    drop(t, "batch", false);
    drop(t, "batch", false);
    sweep(t, milliseconds{-1'000});
    findJob(*db_, "live");
    findRequest(*db_, "live");
    findAnswer(*db_, "shared", {0, 0});
    itemsOf(*db_, "batch");
    const std::vector<Note> notes = {{"a", "1"}, {"b", ""}};
    putNotes(t, notes);
    findNotes(*db_, "a", "", 10);
    ASSERT_FALSE(db_->failed()) << db_->failure()->message;

    EXPECT_GT(plans().size(), 30u);
    for (const auto& [sql, plan] : plans()) {
        EXPECT_EQ(plan.find("SCAN"), std::string::npos) << sql << "\n" << plan;
        EXPECT_EQ(plan.find("TEMP B-TREE"), std::string::npos) << sql << "\n" << plan;
    }
    const std::map<std::string, std::string> expected = {
        {"tenant > ?3", "USING INDEX job_ready (lane=? AND priority=? AND tenant>?)"},
        {"deadline <= ?1", "USING INDEX job_overdue (deadline>? AND deadline<?)"},
        {"created_at) <= ?1", "USING INDEX job_waiting (<expr><?)"},
        {"state = 6 AND lane = ?1 AND run_at", "USING INDEX job_scheduled (lane=? AND run_at<?)"},
        {"FROM answered WHERE used_at", "INDEX answered_used (used_at<?)"},
        {"SELECT priority FROM", "USING INDEX job_ready (lane=?)"},
        {"run_at <= ?3", "USING INDEX job_delayed (lane=? AND run_at<?)"},
        {"lease_until <=", "USING INDEX job_leased (lease_until<?)"},
        {"AND flies = 1", "USING INDEX job_flight (cache_key=?)"},
        {"state = 3 AND parent", "USING INDEX job_held (parent=?)"},
        {"SELECT seq FROM job WHERE state = 4", "USING INDEX job_following (cache_key=?)"},
        {"finished_at < ?1", "USING INDEX job_final (<expr>=? AND finished_at<?)"},
        {"DELETE FROM note", "INDEX sqlite_autoindex_note_1 (name=?)"},
        {"name, text FROM note", "USING INDEX sqlite_autoindex_note_1 (name>?)"},
        {"FROM cache WHERE expires", "INDEX cache_expires (expires<?)"},
    };
    for (const auto& [part, index] : expected)
        EXPECT_NE(planOf(part).find(index), std::string::npos) << part << "\n" << planOf(part);
}

TEST_F(SqlitePlans, CountsComeFromTheIndexesOfLiveJobs) {
    stats(*db_, 0);
    ASSERT_FALSE(db_->failed());
    for (const auto& [sql, plan] : plans()) {
        const bool is_seek = plan.find("SCAN") == std::string::npos;
        EXPECT_TRUE(is_seek || plan.find("INDEX job_") != std::string::npos) << sql << "\n" << plan;
    }
}

}  // namespace
}  // namespace stepper::store::sqlite
