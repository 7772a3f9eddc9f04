// Whether writes are possible, as everybody sees it. Safe from any thread.
#pragma once
#include <mutex>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/store/sqlite/location.h"
#include "core/store/store.h"

namespace stepper::store::sqlite {

class Condition {
public:
    // Failing writes are tried again every `pause`.
    Condition(Location location, milliseconds pause) : location_(std::move(location)), pause_(pause) {}

    // Looks at the file, too: one that was removed or replaced is Failed.
    Health health() const;
    // Why nothing can be written at this moment, if so. When the pause is over one more try is allowed.
    std::optional<Error> refusal() const;

    void works();
    void troubled(std::string reason);  // Degraded
    void broken(std::string reason);    // Failed, for good
    // The try that was allowed came to nothing: the same trouble, for another pause.
    Error pauseAgain();

private:
    void lookAtFile() const;

    const Location location_;
    const milliseconds pause_;
    mutable std::mutex mutex_;
    mutable Health health_;
    SteadyTime try_again_{};
};

}  // namespace stepper::store::sqlite
