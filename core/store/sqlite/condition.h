// Whether writes are possible, as everybody sees it. Safe from any thread.
#pragma once
#include <mutex>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/store/sqlite/location.h"
#include "core/store/store.h"

namespace stepper::store::sqlite {

// What is left to do about a store that cannot be trusted while it is in use.
inline constexpr const char* kPutBackup =
    " Stop Stepper and put a backup in its place, or run `stepper serve --recover`.";

// How long the files must be at least, as whoever writes them left them.
struct Lengths {
    int64_t database = 0, log = 0;
};

class Condition {
public:
    // Of files that were just opened. Failing writes are tried again every `pause`.
    Condition(Files files, milliseconds pause) : files_(std::move(files)), pause_(pause) {}

    // Looks at the files, too: SQLite goes on writing to what it has open, whatever others did to the names.
    // One that cannot be looked at now is as it was.
    Health health() const;
    // After a look: it has not Failed. Throws nothing; without memory to say more it is false.
    bool isSound() const noexcept;
    // Why nothing can be written at this moment, if so. When the pause is over one more try is allowed.
    std::optional<Error> refusal() const;
    // After a look at the files. For who writes them, while they are at rest.
    std::optional<Error> refusal(const Lengths& left);
    // Only the log or its index is gone: what they hold can still be put into the database.
    bool lostOnlyLog() const;

    void works();
    void troubled(std::string reason);  // Degraded
    void broken(std::string reason);    // Failed, for good
    // The try that was allowed came to nothing: the same trouble, for another pause.
    Error pauseAgain();

private:
    enum class Loss { None, Log, Database };

    // Takes memory only when something is lost.
    void look(const std::optional<Lengths>& left) const;
    std::optional<Error> refusalNow() const;

    const Files files_;
    const milliseconds pause_;
    mutable std::mutex mutex_;
    mutable Health health_;
    mutable Loss loss_ = Loss::None;
    SteadyTime try_again_{};
};

}  // namespace stepper::store::sqlite
