// The plugins folder as it is on disk.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>

#include "core/base/result.h"

namespace stepper::plugin {

// A file as it was last seen; equal ones hold the same bytes.
struct Print {
    uint64_t device = 0, inode = 0;
    int64_t size = -1, modified_ns = 0, changed_ns = 0;  // size -1: it cannot be looked at
    int64_t transcripts_ns = 0;                          // when those beside it were modified, added up
    bool operator==(const Print&) const = default;
};
// It changed so recently that it may still be written to.
bool isYoung(const Print& print);

// The shared objects in it. Config error when it cannot be listed, or others may put files into it.
Result<std::map<std::filesystem::path, Print>> surveyFolder(const std::filesystem::path& dir);

}  // namespace stepper::plugin
