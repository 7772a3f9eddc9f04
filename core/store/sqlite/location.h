// Where the database lies: its folder, its file system, and the lock that keeps a second process away.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "core/base/result.h"

namespace stepper::store::sqlite {

// What is at a path; nothing unless it exists().
struct FileState {
    uint64_t device = 0, inode = 0;
    int64_t born = 0;    // ns; inodes are used again, birthdays are not. 0 where the file system keeps none
    uint64_t names = 0;  // hard links
    int64_t bytes = 0;

    bool exists() const { return inode != 0; }
    bool sameFile(const FileState& other) const {
        return device == other.device && inode == other.inode && born == other.born;
    }
};

// None when that cannot be found out now. Takes no memory.
std::optional<FileState> look(const std::string& path);

// A file by path and by what was there when it was looked at; nothing where that could not be found out.
struct Location : FileState {
    std::string path;
};

Location locate(const std::string& path);

// A database with what SQLite keeps beside it.
struct Files {
    Location database, log, index;
};
Files locateAll(const std::string& path);

// Locks and shared memory do not work on these; `magic` as statfs(2) reports it.
bool isNetworkFileSystem(long magic);

// Two flock(2) locks, which the kernel takes back with the process: on `<path>.lock`, which tells by whom and
// stays when the database is replaced, and on the database itself, which holds for all its names. SQLite's
// own locks are of another kind and not touched by them; but they go when any descriptor of the database is
// closed, so this must outlive every connection. The lock file holds the owner's pid and which database and
// log it used.
class Ownership {
public:
    Ownership() = default;
    Ownership(int fd, std::string path, std::string last_used)
        : fd_(fd), path_(std::move(path)), last_used_(std::move(last_used)) {}
    ~Ownership();
    Ownership(Ownership&& other) noexcept { *this = std::move(other); }
    Ownership& operator=(Ownership&& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(database_fd_, other.database_fd_);
        std::swap(path_, other.path_);
        std::swap(last_used_, other.last_used_);
        return *this;
    }

    // Locks the file that is at the path now. Config error when another process has it under another name, or
    // had it last: that one's log would not be found.
    Result<void> takeDatabase();
    // A log that was left behind by another database than the one that is there now, say a backup put in its
    // place, would be laid over it: it is renamed to `<path>-wal.stray`.
    Result<void> setStrayLogAside() const;
    // To be called once database and log are open.
    void remember() const;

private:
    bool wasLastUsed(const Location& database) const;

    int fd_ = -1, database_fd_ = -1;
    std::string path_, last_used_;
};

// Where the file that this path names is, or will be: absolute and without symbolic links.
std::string realPath(const std::string& file);
// Makes the folder (0700) and locks the name. Config error when that cannot be.
Result<Ownership> own(const std::string& path);
// Makes an empty file (0600) if there is none; both it and its name survive a loss of power.
Result<void> createFile(const std::string& path);

}  // namespace stepper::store::sqlite
