#include "core/store/sqlite/salvage.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <set>
#include <vector>

#include <sqlite3.h>

#include "core/store/sqlite/location.h"
#include "core/store/sqlite/transaction.h"

namespace stepper::store::sqlite {

namespace {

constexpr int64_t kFirst = std::numeric_limits<int64_t>::min(), kLast = std::numeric_limits<int64_t>::max();

// What hangs on rows that are lost. Live jobs without a request cannot be run; items of lost batches and
// followers of lost leaders go on by themselves.
constexpr const char* kMend = R"sql(
DELETE FROM request WHERE seq NOT IN (SELECT seq FROM job);
DELETE FROM outcome WHERE seq NOT IN (SELECT seq FROM job);
DELETE FROM idempotency WHERE job NOT IN (SELECT seq FROM job);
UPDATE job SET parent = NULL, item = NULL, label = NULL, lane = iif(lane = 1, 0, lane),
  run_at = iif(state = 3, start_at, run_at), state = iif(state = 3, iif(start_at IS NULL, 0, 6), state) WHERE parent NOT IN (SELECT seq FROM job);
UPDATE job SET state = 11, finished_at = updated_at, flies = 0, version = version + 1, run_at = NULL,
  lease_until = NULL WHERE (state < 5 OR (state = 6 AND total = 0)) AND seq NOT IN (SELECT seq FROM request);
INSERT INTO outcome(seq, result, meta) SELECT seq, x'', CAST('{"errorCode":"UNKNOWN","message":"What became '
  || 'of this job was in a damaged part of the store. Run it again.","retryable":true}' AS BLOB)
  FROM job WHERE state IN (10, 11, 13) AND total = 0 AND seq NOT IN (SELECT seq FROM outcome);
UPDATE job SET state = 11, version = version + 1 WHERE state IN (10, 13) AND total = 0 AND
  seq IN (SELECT seq FROM outcome WHERE length(result) = 0);
UPDATE job SET state = iif(parent IS NULL, 0, 3)
  WHERE state = 4 AND cache_key NOT IN (SELECT cache_key FROM job WHERE flies = 1);
UPDATE job SET
  done = (SELECT count(*) FROM job i WHERE i.parent = job.seq AND i.state IN (10, 13)),
  busy = (SELECT count(*) FROM job i WHERE i.parent = job.seq AND i.state IN (0, 1, 2)),
  failed = total - (SELECT count(*) FROM job i WHERE i.parent = job.seq AND (i.state < 5 OR i.state IN (10, 13)))
  WHERE state IN (5, 6, 10) AND total > 0;
UPDATE job SET state = 10, finished_at = updated_at, version = version + 1, run_at = NULL
  WHERE state IN (5, 6) AND total > 0 AND done + failed = total;
UPDATE job SET state = 0 WHERE seq IN (
  SELECT i.seq FROM (SELECT seq, parent, row_number() OVER (PARTITION BY parent ORDER BY item) AS place
    FROM job WHERE state = 3) i JOIN job b ON b.seq = i.parent WHERE b.state = 5 AND i.place <= b.cap - b.busy);
UPDATE job SET busy = (SELECT count(*) FROM job i WHERE i.parent = job.seq AND i.state IN (0, 1, 2))
  WHERE state = 5;
)sql";

// One table, from the damaged database into the new one. Rows may come twice; the second is not taken.
class Copy {
public:
    Copy(Db& from, Db& to, const std::string& table) : to_(to) {
        std::string columns, places;
        const auto known = columnsOf(from, table);
        for (const auto& column : columnsOf(to, table)) {
            if (!known.contains(column)) continue;
            columns += ", " + column;
            places += ", ?";
        }
        const std::string select = "SELECT rowid" + columns + " FROM " + table + " WHERE rowid ";
        up_ = prepare(from, select + ">= ? ORDER BY rowid");
        down_ = prepare(from, select + "<= ? ORDER BY rowid DESC");
        insert_ =
            prepare(to, "INSERT OR IGNORE INTO " + table + "(rowid" + columns + ") VALUES(?" + places + ")");
    }
    ~Copy() {
        for (sqlite3_stmt* s : {up_, down_, insert_}) sqlite3_finalize(s);
    }
    Copy(const Copy&) = delete;
    Copy& operator=(const Copy&) = delete;

    // From the near end, over the gaps, and from the far end.
    void run(Salvaged& sum) {
        if (!up_ || !down_ || !insert_) {
            ++sum.gaps;
            return;
        }
        int64_t at = kFirst;
        while (!scan(up_, at, at)) {
            ++sum.gaps;
            const auto beyond = findBeyond(at);
            if (!beyond) {
                scan(down_, kLast, at);
                break;
            }
            // The leap may have been too wide; rows it passed are met from the other side.
            int64_t back = *beyond;
            scan(down_, back, back);
            at = *beyond;
        }
        sum.rows += copied_;
    }

private:
    static std::set<std::string> columnsOf(Db& db, const std::string& table) {
        std::set<std::string> names;
        sqlite3_stmt* s = prepare(db, "SELECT name FROM pragma_table_info('" + table + "')");
        while (s && sqlite3_step(s) == SQLITE_ROW)
            names.emplace(reinterpret_cast<const char*>(sqlite3_column_text(s, 0)));
        sqlite3_finalize(s);
        return names;
    }

    static sqlite3_stmt* prepare(Db& db, const std::string& sql) {
        sqlite3_stmt* statement = nullptr;
        sqlite3_prepare_v2(db.handle(), sql.c_str(), -1, &statement, nullptr);
        return statement;
    }

    // Copies rows from `start` on; false when one cannot be read. `reached` is behind the last that could.
    bool scan(sqlite3_stmt* select, int64_t start, int64_t& reached) {
        const bool up = select == up_;
        sqlite3_bind_int64(select, 1, start);
        int rc = SQLITE_ROW;
        // Going down ends where going up has been.
        while ((rc = sqlite3_step(select)) == SQLITE_ROW) {
            const int64_t rowid = sqlite3_column_int64(select, 0);
            if (!store(select) || (!up && !fresh_)) break;
            if (up) reached = rowid == kLast ? rowid : rowid + 1;
        }
        sqlite3_reset(select);
        return rc == SQLITE_DONE || rc == SQLITE_ROW;
    }

    // The first row found by leaps of growing width, all of which end in unreadable places before.
    std::optional<int64_t> findBeyond(int64_t from) {
        const int64_t start = std::max<int64_t>(from, 0);
        for (int64_t leap = 1; leap < kLast / 2 && start < kLast - leap; leap *= 2) {
            sqlite3_bind_int64(up_, 1, start + leap);
            const int rc = sqlite3_step(up_);
            const int64_t rowid = rc == SQLITE_ROW ? sqlite3_column_int64(up_, 0) : 0;
            sqlite3_reset(up_);
            if (rc == SQLITE_ROW) return rowid;
            if (rc == SQLITE_DONE) return {};
        }
        return {};
    }

    bool store(sqlite3_stmt* row) {
        for (int i = 0; i < sqlite3_column_count(row); ++i)
            sqlite3_bind_value(insert_, i + 1, sqlite3_column_value(row, i));
        const int rc = sqlite3_step(insert_);
        fresh_ = rc == SQLITE_DONE && sqlite3_changes(to_.handle()) > 0;
        copied_ += fresh_;
        sqlite3_reset(insert_);
        // A row that the new table refuses is not worth stopping for.
        return rc == SQLITE_DONE || (rc & 0xff) == SQLITE_CONSTRAINT || (rc & 0xff) == SQLITE_MISMATCH;
    }

    Db& to_;
    sqlite3_stmt *up_ = nullptr, *down_ = nullptr, *insert_ = nullptr;
    bool fresh_ = false;  // whether the last row was new
    int64_t copied_ = 0;
};

// Whether the damaged database is of a layout that had no such table yet.
bool predates(Db& damaged, const std::string& table) {
    const auto count = damaged.scalar("SELECT count(*) FROM sqlite_schema WHERE name = '" + table + "'");
    damaged.clearFailure();
    return count == "0";
}

Result<void> moveAway(const std::string& path, const std::string& to) {
    for (const char* suffix : {"-wal", "-shm", ""}) {
        if (std::rename((path + suffix).c_str(), (to + suffix).c_str()) == 0 || errno == ENOENT) continue;
        return Error{ErrorClass::Config, "Cannot rename " + path + suffix + " to " + to + suffix + ": " +
                                             std::strerror(errno) +
                                             ". See that Stepper may write to the folder."};
    }
    return {};
}

}  // namespace

Result<Salvaged> salvage(const std::string& path, WallTime now, const Tuning& tuning) {
    Salvaged sum{.damaged_path = path + ".damaged-" + isoTime(now)};
    if (auto moved = moveAway(path, sum.damaged_path); !moved) return std::move(moved).error();
    if (auto created = createFile(path); !created) return std::move(created).error();
    const Found made = openDatabase(path, tuning);
    if (!made.db) return made.error;

    Db from(sum.damaged_path, Access::Salvage, static_cast<int>(tuning.busy_timeout.count()));
    // With writable_schema a file that is shorter than it says is read as far as it goes.
    from.script("PRAGMA query_only = ON; PRAGMA writable_schema = ON");
    from.clearFailure();
    Db& to = *made.db;
    to.script("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE");
    for (const char* table : {"job", "request", "outcome", "idempotency", "answered", "cache", "note"})
        if (!predates(from, table)) Copy(from, to, table).run(sum);
    to.script(kMend);
    to.script("COMMIT");
    if (!to.failed()) return sum;
    return Error{ErrorClass::Config, "Cannot write the rows of " + sum.damaged_path + " to " + path + ": " +
                                         to.failure()->message + ". Free space on the disk and rename " +
                                         sum.damaged_path + " back to try again."};
}

}  // namespace stepper::store::sqlite
