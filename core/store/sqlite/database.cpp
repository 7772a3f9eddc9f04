#include "core/store/sqlite/database.h"

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include <sqlite3.h>

#include "core/store/sqlite/schema.h"

namespace stepper::store::sqlite {

namespace {

// Of an empty file: auto_vacuum must come before the first table, and before the log.
constexpr const char* kNewFilePragmas =
    "PRAGMA query_only = OFF;"
    "PRAGMA auto_vacuum = INCREMENTAL;"
    "PRAGMA journal_mode = WAL;";
constexpr const char* kWriterPragmas =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA wal_autocheckpoint = 0;"
    "PRAGMA journal_size_limit = 67108864;"
    "PRAGMA cache_size = -16384;"
    "PRAGMA foreign_keys = ON;";
constexpr const char* kCommonPragmas =
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA mmap_size = 0;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON;";
constexpr const char* kReaderPragmas =
    "PRAGMA query_only = ON;"
    "PRAGMA cache_size = -2048;";

int64_t number(Db& db, const std::string& pragma) {
    return std::atoll(db.scalar("PRAGMA " + pragma).value_or("0").c_str());
}

// Interrupts whatever the connection does once the time is over. A progress handler would not do: SQLite does
// not call it while it walks the pages.
class TimeLimit {
public:
    TimeLimit(Db& db, milliseconds limit) : thread_([this, &db, limit] { watch(db, limit); }) {}
    ~TimeLimit() { stop(); }
    // Whether the time was up before.
    bool stop() {
        {
            std::lock_guard lock(mutex_);
            stopped_ = true;
        }
        changed_.notify_one();
        if (thread_.joinable()) thread_.join();
        return over_;
    }

private:
    void watch(Db& db, milliseconds limit) {
        std::unique_lock lock(mutex_);
        over_ = !changed_.wait_for(lock, limit, [&] { return stopped_; });
        if (over_) sqlite3_interrupt(db.handle());
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopped_ = false, over_ = false;
    std::thread thread_;
};

// "ok", or what is wrong. Large files are looked at as far as the limit allows.
std::string check(Db& db, milliseconds limit) {
    TimeLimit time(db, limit);
    std::string finding = db.scalar("PRAGMA quick_check(1)").value_or("");
    if (!time.stop()) return finding;
    if (db.failed() && !meansDamage(*db.failure())) db.clearFailure();
    return "ok";
}

Found damaged(const std::string& path, const std::string& how) {
    return {nullptr,
            true,
            {ErrorClass::Config, "The store " + path + " is damaged (" + how +
                                     "). Put a backup in its place, or run `stepper serve --recover` to "
                                     "keep what can still be read."}};
}

Found unusable(const std::string& path, const SqlFailure& failure) {
    if (failure.primary() == SQLITE_NOTADB) return damaged(path, "it is not a database");
    if (meansDamage(failure)) return damaged(path, failure.message);
    return {nullptr,
            false,
            {ErrorClass::Config, "The store " + path + " cannot be opened: " + failure.message +
                                     ". See that Stepper may read and write the file and its folder, that "
                                     "the disk has room and that no other program holds it locked; or set "
                                     "store.url to another file, or to memory: to keep nothing."}};
}

Found refused(const std::string& path, const std::string& why) {
    return {nullptr, false, {ErrorClass::Config, "The store " + path + " " + why}};
}

}  // namespace

bool meansDamage(const SqlFailure& failure) {
    return failure.primary() == SQLITE_CORRUPT || failure.primary() == SQLITE_NOTADB;
}

std::unique_ptr<Db> openForWriting(const std::string& path, const Tuning& tuning) {
    auto db = std::make_unique<Db>(path, Access::Write, static_cast<int>(tuning.busy_timeout.count()));
    db->script(kCommonPragmas);
    db->script(kWriterPragmas);
    return db;
}

std::unique_ptr<Db> openForReading(const std::string& path, const Tuning& tuning) {
    auto db = std::make_unique<Db>(path, Access::Read, static_cast<int>(tuning.busy_timeout.count()));
    db->script(kCommonPragmas);
    db->script(kReaderPragmas);
    return db;
}

Found openDatabase(const std::string& path, const Tuning& tuning) {
    // Nothing is written to a file before it is known to be ours, of a known layout, and sound.
    Db look(path, Access::Salvage, static_cast<int>(tuning.busy_timeout.count()));
    look.script(kCommonPragmas);
    look.script("PRAGMA query_only = ON");
    const bool empty = look.scalar("SELECT count(*) FROM sqlite_schema").value_or("") == "0";
    const int64_t application = number(look, "application_id");
    const int64_t layout = number(look, "user_version");
    if (look.failed()) return unusable(path, *look.failure());

    if (!empty && application != kApplicationId)
        return refused(path,
                       "is a database of another program. Set store.url to a file of Stepper's own, which "
                       "need not exist yet.");
    if (layout > currentLayout())
        return refused(path, "was written by a newer Stepper (layout " + std::to_string(layout) +
                                 ", this one knows " + std::to_string(currentLayout()) +
                                 "). Run that version, or set store.url to another file.");

    const std::string finding = check(look, tuning.check_limit);
    if (look.failed()) return unusable(path, *look.failure());
    if (finding != "ok") return damaged(path, finding.substr(0, finding.find('\n')));

    if (empty) look.script(kNewFilePragmas);
    if (look.failed()) return unusable(path, *look.failure());
    auto db = openForWriting(path, tuning);
    migrate(*db, path, layout, layoutSteps());
    if (db->failed()) return unusable(path, *db->failure());
    return {std::move(db)};
}

}  // namespace stepper::store::sqlite
