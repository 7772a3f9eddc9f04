// Opens connections to the database, and decides whether a file found there can be used.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/store/sqlite/db.h"

namespace stepper::store::sqlite {

// Times and bounds that tests shorten.
struct Tuning {
    milliseconds busy_timeout{5'000};    // for locks of other processes
    milliseconds call_deadline{10'000};  // of a blocked caller
    milliseconds check_limit{2'000};     // for the look at the whole file when it is opened
    milliseconds retry_pause{1'000};     // between tries while writes fail
    milliseconds oldest_waiting{2'000};  // then new operations are refused
    milliseconds idle_after{5'000};      // then the log is emptied
    size_t most_waiting = 10'000;        // operations
    int readers = 4;
};

std::unique_ptr<Db> openForWriting(const std::string& path, const Tuning& tuning);
std::unique_ptr<Db> openForReading(const std::string& path, const Tuning& tuning);

// A database as it was found and, if need be, made or migrated.
struct Found {
    std::unique_ptr<Db> db;  // for writing; null when it cannot be used
    bool damaged = false;    // why it cannot
    Error error = {};        // Config, complete
};
Found openDatabase(const std::string& path, const Tuning& tuning);

// Whether a result code says that the file is damaged or no database at all.
bool meansDamage(const SqlFailure& failure);

}  // namespace stepper::store::sqlite
