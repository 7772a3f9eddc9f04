// Where the database lies: its folder, its file system, and the lock that keeps a second process away.
#pragma once
#include <cstdint>
#include <string>
#include <utility>

#include "core/base/result.h"

namespace stepper::store::sqlite {

// A file by path and by what was there when it was looked at.
struct Location {
    std::string path;
    uint64_t device = 0, inode = 0;
    int64_t born = 0;  // ns; inodes are used again, birthdays are not. 0 where the file system keeps none

    bool exists() const { return inode != 0; }
    bool sameFile(const Location& other) const {
        return device == other.device && inode == other.inode && born == other.born;
    }
};

Location locate(const std::string& path);
// Whether its path still leads to that file.
bool isInPlace(const Location& location);

// Locks and shared memory do not work on these; `magic` as statfs(2) reports it.
bool isNetworkFileSystem(long magic);

// The advisory lock on `<path>.lock`. The kernel takes it back with the process. The file holds the owner's
// pid and which database and log it used.
class Ownership {
public:
    Ownership() = default;
    Ownership(int fd, std::string path, std::string last_used)
        : fd_(fd), path_(std::move(path)), last_used_(std::move(last_used)) {}
    ~Ownership();
    Ownership(Ownership&& other) noexcept { *this = std::move(other); }
    Ownership& operator=(Ownership&& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(path_, other.path_);
        std::swap(last_used_, other.last_used_);
        return *this;
    }

    // A log that was left behind by another database than the one that is there now, say a backup put in its
    // place, would be laid over it: it is renamed to `<path>-wal.stray`.
    Result<void> setStrayLogAside() const;
    // To be called once database and log are open.
    void remember() const;

private:
    int fd_ = -1;
    std::string path_, last_used_;
};

// Makes the folder (0700) and takes the lock. Config error when that cannot be.
Result<Ownership> own(const std::string& path);
// Makes an empty file (0600) if there is none; both it and its name survive a loss of power.
Result<void> createFile(const std::string& path);

}  // namespace stepper::store::sqlite
