// From `store.url` to a store.
#pragma once
#include <memory>

#include "core/store/store.h"

namespace stepper::store {

enum class Durability {
    Full,    // what was acknowledged survives loss of power, as far as the disk keeps its word
    Normal,  // it survives the end of the process; loss of power may take the last moments
};

struct OpenOptions {
    std::string url;  // sqlite:PATH or memory:
    Durability durability = Durability::Full;
    bool recover = false;  // copy what can be read of a damaged database into a new one first
    CrashPolicy crashes;
};

// What `recover` did to a damaged database.
struct Salvaged {
    std::string damaged_path;  // where it is now
    int64_t rows = 0;          // copied
    int64_t gaps = 0;          // places that could not be read; what was there is lost
};

// Config error when no store is of the kind that this address names.
Result<void> checkKind(const std::string& url);

// Config error, saying what to do, when the store cannot be used: no such kind, owned by another process,
// damaged, newer than this program, on a network file system, not writable. The clock must outlive the store.
// `salvaged` is told what `recover` did, if it had to do anything.
Result<std::unique_ptr<Store>> open(const OpenOptions& options, const Clock& clock,
                                    std::optional<Salvaged>* salvaged = nullptr);

}  // namespace stepper::store
