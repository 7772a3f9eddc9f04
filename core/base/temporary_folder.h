// A folder for one process, gone with it. One owner.
#pragma once
#include <filesystem>

#include "core/base/descriptor.h"

namespace stepper {

// Made in the system's temporary folder with mode 0700 and removed with this object. What processes that were
// killed left there goes when the next one is made: each folder holds a file its process has locked.
class TemporaryFolder {
public:
    TemporaryFolder();
    // In that folder.
    explicit TemporaryFolder(const std::filesystem::path& base);
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    // Empty: it could not be made.
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
    Descriptor lock_;
};

}  // namespace stepper
