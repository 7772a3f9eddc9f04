// A few connections for reading, opened at the start: what they see stays the file that was opened. Safe from
// any thread.
#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <type_traits>
#include <vector>

#include "core/base/result.h"
#include "core/store/sqlite/condition.h"
#include "core/store/sqlite/database.h"

namespace stepper::store::sqlite {

class Readers {
public:
    Readers(const std::string& path, const Tuning& tuning, Condition& condition);

    // Why they cannot be used, if one could not be opened.
    std::optional<SqlFailure> failure() const;

    // Calls `read` with a connection of its own; everything it sees is of one moment only within one
    // statement.
    template <class F, class T = std::invoke_result_t<F, Db&>>
    Result<T> run(F read) {
        auto db = borrow();
        if (!db) return busy();
        T answer = read(*db);
        const auto failure = db->failure();
        db->clearFailure();
        giveBack(std::move(db));
        if (failure) return explain(*failure);
        return answer;
    }

private:
    std::unique_ptr<Db> borrow();
    void giveBack(std::unique_ptr<Db> db);
    Error busy() const;
    Error explain(const SqlFailure& failure);

    const std::string path_;
    const Tuning tuning_;
    Condition& condition_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<Db>> idle_;
};

}  // namespace stepper::store::sqlite
