// Where the database lies: its folder, its file system, and the lock that keeps a second process away.
#pragma once
#include <string>
#include <utility>

#include <sys/types.h>

#include "core/base/result.h"

namespace stepper::store::sqlite {

// A file by path and by what was there when it was opened.
struct Location {
    std::string path;
    dev_t device = 0;
    ino_t inode = 0;
};

// The file at `path` as it is now; device and inode are 0 when there is none.
Location locate(const std::string& path);
// Whether its path still leads to that file.
bool isInPlace(const Location& location);

// Locks and shared memory do not work on these; `magic` as statfs(2) reports it.
bool isNetworkFileSystem(long magic);

// The advisory lock on `<path>.lock`, which holds the owner's pid. The kernel takes it back with the process.
class Ownership {
public:
    Ownership() = default;
    explicit Ownership(int fd) : fd_(fd) {}
    ~Ownership();
    Ownership(Ownership&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Ownership& operator=(Ownership&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }

private:
    int fd_ = -1;
};

// Makes the folder (0700) and takes the lock. Config error when that cannot be.
Result<Ownership> own(const std::string& path);
// Makes an empty file (0600) if there is none; both it and its name survive a loss of power.
Result<void> createFile(const std::string& path);

}  // namespace stepper::store::sqlite
