#include "core/store/sqlite/readers.h"

namespace stepper::store::sqlite {

Readers::Readers(const std::string& path, const Tuning& tuning, Condition& condition)
    : path_(path), tuning_(tuning), condition_(condition) {
    for (int i = 0; i < tuning.readers; ++i) idle_.push_back(openForReading(path, tuning));
}

std::optional<SqlFailure> Readers::failure() const {
    for (const auto& db : idle_)
        if (db->failed()) return db->failure();
    return {};
}

std::unique_ptr<Db> Readers::borrow() {
    std::unique_lock lock(mutex_);
    if (!returned_.wait_for(lock, tuning_.call_deadline, [&] { return !idle_.empty(); })) return nullptr;
    auto db = std::move(idle_.back());
    idle_.pop_back();
    return db;
}

void Readers::giveBack(std::unique_ptr<Db> db) {
    {
        std::lock_guard lock(mutex_);
        idle_.push_back(std::move(db));
    }
    returned_.notify_one();
}

Error Readers::busy() const {
    return {ErrorClass::Overloaded, "The store " + path_ + " is too busy to be read. Try again in a second.",
            milliseconds{1'000}};
}

Error Readers::explain(const SqlFailure& failure) {
    const std::string reason = "The store " + path_ + " cannot be read: " + failure.message + ".";
    if (!meansDamage(failure))
        return {ErrorClass::Overloaded, reason + " See to its disk.", milliseconds{1'000}};
    const std::string damaged = reason + kPutBackup;
    condition_.broken(damaged);
    return {ErrorClass::Internal, damaged};
}

}  // namespace stepper::store::sqlite
