#include "core/store/sqlite/db.h"

#include <sqlite3.h>

namespace stepper::store::sqlite {

namespace {

int flagsOf(Access access) {
    const int mode = access == Access::Read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    return mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
}

}  // namespace

void Db::Finalizer::operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }

Db::Db(const std::string& path, Access access, int busy_timeout_ms) {
    // A name that starts with "file:" would be taken for a URI only with SQLITE_OPEN_URI.
    if (const int rc = sqlite3_open_v2(path.c_str(), &handle_, flagsOf(access), nullptr); rc != SQLITE_OK) {
        fail(rc);
        return;
    }
    sqlite3_busy_timeout(handle_, busy_timeout_ms);
    if (access != Access::Write) leaveLogAlone();
}

Db::~Db() {
    idle_.clear();
    sqlite3_close_v2(handle_);
}

void Db::fail(int code) {
    if (!failure_) failure_ = SqlFailure{code, handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code)};
}

void Db::script(const std::string& sql) {
    if (failed()) return;
    if (const int rc = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr); rc != SQLITE_OK)
        fail(rc);
}

std::optional<std::string> Db::scalar(const std::string& sql) {
    if (failed()) return {};
    sqlite3_stmt* raw = nullptr;
    int rc = sqlite3_prepare_v2(handle_, sql.c_str(), -1, &raw, nullptr);
    const Prepared statement(raw);
    if (rc == SQLITE_OK) rc = sqlite3_step(raw);
    if (rc == SQLITE_ROW) {
        const void* bytes = sqlite3_column_text(raw, 0);
        return std::string(static_cast<const char*>(bytes ? bytes : ""),
                           static_cast<size_t>(sqlite3_column_bytes(raw, 0)));
    }
    if (rc != SQLITE_DONE) fail(rc);
    return {};
}

int64_t Db::lastRowid() const { return sqlite3_last_insert_rowid(handle_); }
int64_t Db::totalChanges() const { return sqlite3_total_changes64(handle_); }
bool Db::inTransaction() const { return handle_ && sqlite3_get_autocommit(handle_) == 0; }

void Db::rollBack() {
    if (inTransaction()) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
    clearFailure();
}

void Db::leaveLogAlone() { sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }

Db::Prepared Db::take(Sql sql) {
    if (failed()) return nullptr;
    if (Prepared& kept = idle_[sql.text()]) return std::move(kept);
    sqlite3_stmt* statement = nullptr;
    const int rc =
        sqlite3_prepare_v3(handle_, sql.text(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (rc != SQLITE_OK) fail(rc);
    return Prepared(statement);
}

void Db::giveBack(Sql sql, Prepared statement) { idle_[sql.text()] = std::move(statement); }

Query::Query(Db& db, Sql sql, Lifetime lifetime)
    : db_(db), sql_(sql), lifetime_(lifetime), statement_(db.take(sql)) {}

Query::~Query() {
    if (!statement_) return;
    sqlite3_reset(statement_.get());
    sqlite3_clear_bindings(statement_.get());
    db_.giveBack(sql_, std::move(statement_));
}

void Query::check(int code) {
    if (code != SQLITE_OK) db_.fail(code);
}

void Query::bind(int i, std::string_view v) {
    if (!ready()) return;
    const char* bytes = v.data() ? v.data() : "";
    check(sqlite3_bind_text64(statement_.get(), i, bytes, v.size(),
                              lifetime_ == Lifetime::Borrowed ? SQLITE_STATIC : SQLITE_TRANSIENT,
                              SQLITE_UTF8));
}

void Query::bind(int i, Blob v) {
    if (!ready()) return;
    const char* bytes = v.bytes.data() ? v.bytes.data() : "";
    check(sqlite3_bind_blob64(statement_.get(), i, bytes, v.bytes.size(),
                              lifetime_ == Lifetime::Borrowed ? SQLITE_STATIC : SQLITE_TRANSIENT));
}

void Query::bindInteger(int i, int64_t v) {
    if (ready()) check(sqlite3_bind_int64(statement_.get(), i, v));
}

bool Query::next() {
    if (!ready()) return false;
    const int rc = sqlite3_step(statement_.get());
    if (rc == SQLITE_ROW) return true;
    if (rc != SQLITE_DONE) db_.fail(rc);
    return false;
}

bool Query::null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

int64_t Query::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string Query::text(int column) const {
    const void* bytes = sqlite3_column_blob(statement_.get(), column);
    if (!bytes) return {};
    return {static_cast<const char*>(bytes),
            static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::optional<int64_t> Query::optional(int column) const {
    if (null(column)) return {};
    return integer(column);
}

}  // namespace stepper::store::sqlite
