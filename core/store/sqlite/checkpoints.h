// When the write-ahead log goes into the database file. Used by the writer's thread only.
#pragma once
#include "core/store/sqlite/condition.h"
#include "core/store/sqlite/db.h"

namespace stepper::store::sqlite {

class Checkpoints {
public:
    // For a new write connection; it must outlive its use here.
    void attach(Db& db, int busy_timeout_ms);
    void afterCommit(bool more_waiting);
    // Nothing was written for a while: empty the log and give free pages back. A bounded piece of work.
    void whenIdle();
    bool idleWorkLeft() const { return written_; }
    // All of the log into the database, whatever becomes of the log. False when that is not possible.
    bool rescue();
    // What the files hold now, outside of transactions.
    Lengths lengths() const;

private:
    void checkpoint(int mode);

    Db* db_ = nullptr;
    int busy_timeout_ms_ = 0;
    int64_t page_bytes_ = 0;
    int64_t database_bytes_ = 0;  // only checkpoints change it
    int log_pages_ = 0;           // in the log after the last commit
    int copied_pages_ = 0;        // of them already in the database file
    bool written_ = false;
};

}  // namespace stepper::store::sqlite
