#include "core/store/sqlite/condition.h"

namespace stepper::store::sqlite {

namespace {

constexpr const char* kBackup =
    " Nothing more is written to it. Stop Stepper and put a backup in its place, or run "
    "`stepper serve --recover`.";

std::string missing(const Location& now, int64_t least) {
    return std::to_string(least - now.bytes) + " bytes at the end of " + now.path + " are gone";
}

}  // namespace

// Under the lock.
void Condition::look(const std::optional<Lengths>& left) const {
    if (health_.status == Health::Status::Failed) return;
    const Files now = locateAll(files_.database.path);
    const std::string store = "The store " + files_.database.path;
    const auto lost = [this](Loss what, std::string reason) {
        loss_ = what;
        health_ = {Health::Status::Failed, std::move(reason)};
    };
    if (!now.database.sameFile(files_.database))
        return lost(Loss::Database,
                    store + " was removed or replaced while in use; nothing more is written to it. Restart "
                            "Stepper.");
    if (left && now.database.bytes < left->database)
        return lost(Loss::Database, store + " was cut while in use: " + missing(now.database, left->database) +
                                        "." + kBackup);
    for (const auto& [is, was] : {std::pair{&now.log, &files_.log}, {&now.index, &files_.index}})
        if (!is->sameFile(*was))
            return lost(Loss::Log, store + " lost its log: " + is->path +
                                       " was removed or replaced while in use. What it held is put into the "
                                       "database; nothing more is accepted. Restart Stepper.");
    if (left && now.log.bytes < left->log)
        lost(Loss::Database, store + " lost the end of its log: " + missing(now.log, left->log) +
                                 ", and what was in them may be lost. Nothing more is written to it. Restart "
                                 "Stepper.");
}

Health Condition::health() const {
    std::lock_guard lock(mutex_);
    look({});
    return health_;
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
