// Group commit: one thread owns the write connection; callers hand it operations and block until the
// transaction that holds theirs is durable. While one transaction syncs, the next gathers; no timers.
// Owner: the store. run() may be called from any thread but the writer's own.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "core/base/clock.h"
#include "core/store/open.h"
#include "core/store/sqlite/checkpoints.h"
#include "core/store/sqlite/condition.h"
#include "core/store/sqlite/database.h"
#include "core/store/sqlite/transaction.h"
#include "core/store/store_time.h"

namespace stepper::store::sqlite {

// Whether a client will take the operation as a promise. What is not one may be repeated after a loss of
// power without harm.
enum class Promise { None, Given };

// An operation on its way. It outlives its caller, who may have stopped waiting.
class Ticket {
public:
    explicit Ticket(Promise p) : promise(p) {}
    virtual ~Ticket() = default;
    // May run again after a rollback.
    virtual void perform(Transaction& tx) = 0;

    const Promise promise;
    const SteadyTime since = std::chrono::steady_clock::now();

    // It is committed though its caller has gone. True when that cannot be left so: from now on perform()
    // undoes what it did.
    virtual bool turnToUndoing() { return false; }

    // False when the caller has withdrawn it.
    bool begin();
    // Whether the caller is still there to hear it.
    bool end(std::optional<Error> error);
    // Its error, if it failed. At the deadline what has not begun is withdrawn.
    std::optional<Error> wait(SteadyTime deadline);

private:
    enum class Stage { Waiting, Running, Ended, Withdrawn, Forsaken };
    std::mutex mutex_;
    std::condition_variable ended_;
    Stage stage_ = Stage::Waiting;
    std::optional<Error> error_;
};

class Writer {
public:
    Writer(std::unique_ptr<Db> db, std::string path, Durability durability, const Tuning& tuning,
           const Clock& clock, StoreTime& time, Condition& condition);
    // Commits what waits, then closes the connection.
    ~Writer();

    void setListener(Listener* listener);

    // `operation` must own what it uses and may run twice.
    template <class F, class T = std::invoke_result_t<F, Transaction&>>
    Result<T> run(Promise promise, F operation) {
        struct Call final : Ticket {
            Call(Promise p, F f) : Ticket(p), body(std::move(f)) {}
            void perform(Transaction& tx) override { answer = body(tx); }
            F body;
            T answer{};
        };
        auto call = std::make_shared<Call>(promise, std::move(operation));
        if (auto error = await(call)) return *std::move(error);
        return std::move(call->answer);
    }
    // `undo`, called as undo(Transaction&, const T&), takes it back when it was committed too late for the
    // caller.
    template <class F, class U, class T = std::invoke_result_t<F, Transaction&>>
    Result<T> run(Promise promise, F operation, U undo) {
        struct Call final : Ticket {
            Call(Promise p, F f, U u) : Ticket(p), body(std::move(f)), undo(std::move(u)) {}
            void perform(Transaction& tx) override {
                if (undoes) return undo(tx, std::as_const(answer));
                answer = body(tx);
            }
            bool turnToUndoing() override { return undoes = true; }
            F body;
            U undo;
            T answer{};
            bool undoes = false;
        };
        auto call = std::make_shared<Call>(promise, std::move(operation), std::move(undo));
        if (auto error = await(call)) return *std::move(error);
        return std::move(call->answer);
    }

private:
    using Group = std::vector<std::shared_ptr<Ticket>>;
    using Part = std::span<const std::shared_ptr<Ticket>>;

    std::optional<Error> await(const std::shared_ptr<Ticket>& ticket);
    void loop();
    bool round(Group& group);  // false when it is time to stop
    void gather(Group& group);
    void write(const Group& group);
    std::optional<SqlFailure> attempt(Part part);
    void settle(Part part, const std::optional<Error>& error);
    void tell(const Effects& effects);
    // After a look at the files.
    std::optional<Error> refusal();
    std::optional<Error> unusable();
    Error explain(const SqlFailure& failure);
    void setSync(Part part);

    const std::string path_;
    const Durability durability_;
    const Tuning tuning_;
    const Clock& clock_;
    StoreTime& time_;
    Condition& condition_;

    std::mutex listener_mutex_;
    Listener* listener_ = nullptr;

    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::shared_ptr<Ticket>> waiting_;
    bool stopping_ = false;

    // Of the writer's thread.
    std::unique_ptr<Db> db_;
    Checkpoints checkpoints_;
    Effects effects_;
    Group amends_;                 // to be undone; those that fail go with the next group
    bool owing_ = false;           // some were not tried yet
    std::optional<Promise> sync_;  // what the connection's `synchronous` stands for
    bool committing_ = false;      // what failed came while committing, or behind that
    bool reopen_ = false;
    bool rescued_ = false;  // what a lost log held

    std::thread thread_;
};

}  // namespace stepper::store::sqlite
