// One SQLite connection and its statements. Used by one thread at a time.
// Errors stick: after the first one every statement on the connection does nothing and yields no rows until
// clearFailure(), so that operations read straight and whoever runs them asks once, at the end.
#pragma once
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace stepper::store::sqlite {

// The text of a statement. Only literals: prepared statements are kept by its address.
class Sql {
public:
    consteval Sql(const char* literal) : text_(literal) {}
    const char* text() const { return text_; }

private:
    const char* text_;
};

// Bytes bound as a BLOB; plain strings are bound as TEXT.
struct Blob {
    std::string_view bytes;
};

struct SqlFailure {
    int code;             // extended result code
    std::string message;  // SQLite's, without a full stop
    int primary() const { return code & 0xff; }
};

enum class Access {
    Write,    // the one connection that writes; creates nothing
    Read,     // refuses to write and leaves the log alone
    Salvage,  // for damaged files: refuses to write, but may build the index of the log
};

class Db {
public:
    // A connection that could not be opened has failed().
    Db(const std::string& path, Access access, int busy_timeout_ms);
    ~Db();
    Db(const Db&) = delete;
    Db& operator=(const Db&) = delete;

    bool failed() const { return failure_.has_value(); }
    const std::optional<SqlFailure>& failure() const { return failure_; }
    void clearFailure() { failure_.reset(); }

    // One or several statements without parameters, not kept.
    void script(const std::string& sql);
    // The first column of the first row, if there is one.
    std::optional<std::string> scalar(const std::string& sql);
    // Runs a statement to its end; the rows it changed.
    template <class... A>
    int64_t run(Sql sql, const A&... args);
    int64_t lastRowid() const;
    int64_t totalChanges() const;
    bool inTransaction() const;
    // Undoes an open transaction and forgets the failure. Takes no memory of ours.
    void rollBack();
    // Closing does not move the write-ahead log into the file, nor remove it.
    void leaveLogAlone();

    sqlite3* handle() const { return handle_; }

private:
    friend class Query;
    struct Finalizer {
        void operator()(sqlite3_stmt* s) const;
    };
    using Prepared = std::unique_ptr<sqlite3_stmt, Finalizer>;

    Prepared take(Sql sql);
    void giveBack(Sql sql, Prepared statement);
    void fail(int code);

    sqlite3* handle_ = nullptr;
    std::optional<SqlFailure> failure_;
    std::unordered_map<const char*, Prepared> idle_;
};

// A statement while it runs. Column accessors are valid after next() returned true.
class Query {
public:
    template <class... A>
    Query(Db& db, Sql sql, const A&... args) : Query(db, sql, Lifetime::Copied) {
        bindAll(args...);
    }
    ~Query();
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;

    bool next();
    bool null(int column) const;
    int64_t integer(int column) const;
    std::string text(int column) const;  // TEXT and BLOB alike, "" for NULL
    std::optional<int64_t> optional(int column) const;
    template <class T>
    T as(int column) const {
        return static_cast<T>(integer(column));
    }

private:
    friend class Db;
    enum class Lifetime { Copied, Borrowed };  // whether bound bytes outlive the statement's run
    Query(Db& db, Sql sql, Lifetime lifetime);

    template <class... A>
    void bindAll(const A&... args) {
        int index = 0;
        (bind(++index, args), ...);
    }
    template <class T>
    requires std::integral<T> || std::is_enum_v<T>
    void bind(int i, T v) { bindInteger(i, static_cast<int64_t>(v)); }
    template <class T>
    void bind(int i, const std::optional<T>& v) {
        if (v) bind(i, *v);
    }
    void bind(int i, std::string_view v);
    void bind(int i, Blob v);
    void bindInteger(int i, int64_t v);
    bool ready() const { return statement_ && !db_.failed(); }
    void check(int code);

    Db& db_;
    Sql sql_;
    Lifetime lifetime_;
    Db::Prepared statement_;
};

template <class... A>
int64_t Db::run(Sql sql, const A&... args) {
    Query query(*this, sql, Query::Lifetime::Borrowed);
    query.bindAll(args...);
    const int64_t before = totalChanges();
    while (query.next()) {
    }
    return failed() ? 0 : totalChanges() - before;
}

}  // namespace stepper::store::sqlite
