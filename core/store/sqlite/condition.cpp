#include "core/store/sqlite/condition.h"

namespace stepper::store::sqlite {

// Under the lock.
void Condition::lookAtFile() const {
    if (health_.status == Health::Status::Failed || isInPlace(location_)) return;
    health_ = {Health::Status::Failed,
               "The store " + location_.path +
                   " was removed or replaced while in use; nothing more is written to it. Restart Stepper."};
}

Health Condition::health() const {
    std::lock_guard lock(mutex_);
    lookAtFile();
    return health_;
}

std::optional<Error> Condition::refusal() const {
    std::lock_guard lock(mutex_);
    lookAtFile();
    if (health_.status == Health::Status::Failed) return Error{ErrorClass::Internal, health_.reason};
    if (health_.status == Health::Status::Degraded && std::chrono::steady_clock::now() < try_again_)
        return Error{ErrorClass::Overloaded, health_.reason, pause_};
    return {};
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
