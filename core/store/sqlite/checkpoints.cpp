#include "core/store/sqlite/checkpoints.h"

#include <cstdlib>

#include <sqlite3.h>

#include "core/store/sqlite/location.h"

namespace stepper::store::sqlite {

namespace {

constexpr int kWorthwhile = 1'000, kTooMany = 4'000;   // pages, when quiet and when busy
constexpr int kTruncateAt = 64 * 1024 * 1024 / 4'096;  // pages
constexpr int kPatienceMs = 20;
constexpr int64_t kLogHead = 32, kPageHead = 24;  // bytes before all pages and before each
// https://www.sqlite.org/fileformat2.html#the_write_ahead_log

int64_t sizeOf(Db& db) { return locate(sqlite3_db_filename(db.handle(), "main")).bytes; }

}  // namespace

void Checkpoints::attach(Db& db, int busy_timeout_ms) {
    *this = {};
    db_ = &db;
    busy_timeout_ms_ = busy_timeout_ms;
    written_ = true;
    page_bytes_ = std::atoll(db.scalar("PRAGMA page_size").value_or("0").c_str());
    database_bytes_ = sizeOf(db);
    const auto count = [](void* pages, sqlite3*, const char*, int in_log) {
        *static_cast<int*>(pages) = in_log;
        return SQLITE_OK;
    };
    sqlite3_wal_hook(db.handle(), count, &log_pages_);
}

void Checkpoints::afterCommit(bool more_waiting) {
    written_ = true;
    // After a full checkpoint the next writer starts the log anew.
    if (log_pages_ < copied_pages_) copied_pages_ = 0;
    const int left = log_pages_ - copied_pages_;
    if (log_pages_ > kTruncateAt && left > kWorthwhile) return checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
    if (left > kTooMany || (left > kWorthwhile && !more_waiting)) checkpoint(SQLITE_CHECKPOINT_PASSIVE);
}

void Checkpoints::whenIdle() {
    // In steps: a call that arrives meanwhile waits for one of them.
    db_->script("PRAGMA incremental_vacuum(4096)");
    written_ = db_->scalar("PRAGMA freelist_count").value_or("0") != "0";
    db_->clearFailure();
    checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
}

bool Checkpoints::rescue() {
    return sqlite3_wal_checkpoint_v2(db_->handle(), nullptr, SQLITE_CHECKPOINT_FULL, nullptr, nullptr) ==
           SQLITE_OK;
}

Lengths Checkpoints::lengths() const {
    return {database_bytes_, log_pages_ == 0 ? 0 : kLogHead + log_pages_ * (kPageHead + page_bytes_)};
}

void Checkpoints::checkpoint(int mode) {
    // A failure is no harm: what was committed is in the log, and a later one tries again. Nor is it worth a
    // long wait for a reader that is slow to leave.
    sqlite3_busy_timeout(db_->handle(), kPatienceMs);
    sqlite3_wal_checkpoint_v2(db_->handle(), nullptr, mode, &log_pages_, &copied_pages_);
    if (copied_pages_ < 0) log_pages_ = copied_pages_ = 0;
    database_bytes_ = sizeOf(*db_);
    sqlite3_busy_timeout(db_->handle(), busy_timeout_ms_);
}

}  // namespace stepper::store::sqlite
