#include "core/store/sqlite/checkpoints.h"

#include <sqlite3.h>

namespace stepper::store::sqlite {

namespace {

constexpr int kWorthwhile = 1'000, kTooMany = 4'000;   // pages, when quiet and when busy
constexpr int kTruncateAt = 64 * 1024 * 1024 / 4'096;  // pages
constexpr int kPatienceMs = 20;

}  // namespace

void Checkpoints::attach(Db& db, int busy_timeout_ms) {
    *this = {};
    db_ = &db;
    busy_timeout_ms_ = busy_timeout_ms;
    written_ = true;
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

void Checkpoints::checkpoint(int mode) {
    // A failure is no harm: what was committed is in the log, and a later one tries again. Nor is it worth a
    // long wait for a reader that is slow to leave.
    sqlite3_busy_timeout(db_->handle(), kPatienceMs);
    sqlite3_wal_checkpoint_v2(db_->handle(), nullptr, mode, &log_pages_, &copied_pages_);
    if (copied_pages_ < 0) log_pages_ = copied_pages_ = 0;
    sqlite3_busy_timeout(db_->handle(), busy_timeout_ms_);
}

}  // namespace stepper::store::sqlite
