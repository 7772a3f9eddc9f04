#include "core/store/sqlite/condition.h"

#include <new>

namespace stepper::store::sqlite {

namespace {

std::string missing(const Location& file, int64_t is, int64_t least) {
    return std::to_string(least - is) + " bytes at the end of " + file.path + " are gone";
}

}  // namespace

// Under the lock.
void Condition::look(const std::optional<Lengths>& left) const {
    if (health_.status == Health::Status::Failed) return;
    const auto lost = [this](Loss what, const std::string& how) {
        health_ = {Health::Status::Failed, "The store " + files_.database.path + how};
        loss_ = what;
    };
    const auto is_other = [](const std::optional<FileState>& is, const Location& was) {
        return is && !is->sameFile(was);
    };
    const auto database = sqlite::look(files_.database.path), log = sqlite::look(files_.log.path);
    if (is_other(database, files_.database))
        return lost(Loss::Database,
                    " was removed or replaced while in use; nothing more is written to it. Restart Stepper.");
    if (left && database && database->bytes < left->database)
        return lost(Loss::Database,
                    " was cut while in use: " + missing(files_.database, database->bytes, left->database) +
                        ". Nothing more is written to it." + kPutBackup);
    const bool other_log = is_other(log, files_.log);
    if (other_log || is_other(sqlite::look(files_.index.path), files_.index))
        return lost(Loss::Log, " lost its log: " + (other_log ? files_.log : files_.index).path +
                                   " was removed or replaced while in use. What it held is put into the "
                                   "database; nothing more is accepted. Restart Stepper.");
    if (left && log && log->bytes < left->log)
        lost(Loss::Database, " lost the end of its log: " + missing(files_.log, log->bytes, left->log) +
                                 ", and what was in them may be lost. Nothing more is written to it. Restart "
                                 "Stepper.");
}

Health Condition::health() const {
    std::lock_guard lock(mutex_);
    look({});
    return health_;
}

bool Condition::isSound() const noexcept {
    std::lock_guard lock(mutex_);
    try {
        look({});
    } catch (const std::bad_alloc&) {
        return false;
    }
    return health_.status != Health::Status::Failed;
}

std::optional<Error> Condition::refusal() const {
    std::lock_guard lock(mutex_);
    return refusalNow();
}

std::optional<Error> Condition::refusal(const Lengths& left) {
    std::lock_guard lock(mutex_);
    look(left);
    return refusalNow();
}

std::optional<Error> Condition::refusalNow() const {
    if (health_.status == Health::Status::Failed) return Error{ErrorClass::Internal, health_.reason};
    if (health_.status == Health::Status::Degraded && std::chrono::steady_clock::now() < try_again_)
        return Error{ErrorClass::Overloaded, health_.reason, pause_};
    return {};
}

bool Condition::lostOnlyLog() const {
    std::lock_guard lock(mutex_);
    return loss_ == Loss::Log;
}

void Condition::works() {
    std::lock_guard lock(mutex_);
    if (health_.status == Health::Status::Degraded) health_ = {};
}

void Condition::troubled(std::string reason) {
    std::lock_guard lock(mutex_);
    if (health_.status == Health::Status::Failed) return;
    health_ = {Health::Status::Degraded, std::move(reason)};
    try_again_ = std::chrono::steady_clock::now() + pause_;
}

Error Condition::pauseAgain() {
    std::lock_guard lock(mutex_);
    try_again_ = std::chrono::steady_clock::now() + pause_;
    return {ErrorClass::Overloaded, health_.reason, pause_};
}

void Condition::broken(std::string reason) {
    std::lock_guard lock(mutex_);
    if (health_.status != Health::Status::Failed) health_ = {Health::Status::Failed, std::move(reason)};
}

}  // namespace stepper::store::sqlite
