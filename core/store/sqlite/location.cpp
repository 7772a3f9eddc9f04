#include "core/store/sqlite/location.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace stepper::store::sqlite {

namespace {

constexpr int kMostLinks = 40;  // the kernel's own limit

std::string folderOf(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

Error cannot(const std::string& what, const std::string& path, int code) {
    return {ErrorClass::Config, "Cannot " + what + " " + path + ": " + std::strerror(code) +
                                    ". Set store.url to a file in a folder that Stepper may write to "
                                    "(sqlite:/path/stepper.db), or to memory: to keep nothing."};
}

Result<void> makeFolder(const std::string& folder) {
    if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
    if (errno != ENOENT) return cannot("make the folder", folder, errno);
    if (auto made = makeFolder(folderOf(folder)); !made) return made;
    if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
    return cannot("make the folder", folder, errno);
}

std::string contentOf(int fd) {
    char text[256] = {};
    const ssize_t n = ::pread(fd, text, sizeof text - 1, 0);
    return {text, n > 0 ? static_cast<size_t>(n) : 0};
}

std::string ownerOf(int fd) {
    const std::string text = contentOf(fd);
    const std::string pid = text.substr(0, text.find_first_not_of("0123456789"));
    return pid.empty() ? "another process" : "process " + pid;
}

bool replaceContent(int fd, const std::string& text) {
    return ::ftruncate(fd, 0) == 0 &&
           ::pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

std::string line(std::string_view what, const Location& l) {
    return std::string(what) + " " + std::to_string(l.device) + " " + std::to_string(l.inode) + " " +
           std::to_string(l.born) + "\n";
}

void syncFolder(const std::string& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

}  // namespace

std::optional<FileState> look(const std::string& path) {
    struct statx s {};
    constexpr unsigned kWanted = STATX_INO | STATX_BTIME | STATX_NLINK | STATX_SIZE;
    if (::statx(AT_FDCWD, path.c_str(), 0, kWanted, &s) != 0) {
        // Anything else, say no memory or a folder that may not be entered, says nothing of the file.
        const bool is_absent = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
        return is_absent ? std::optional(FileState{}) : std::nullopt;
    }
    const bool has_birthday = s.stx_mask & STATX_BTIME;
    return FileState{uint64_t{s.stx_dev_major} << 32 | s.stx_dev_minor, s.stx_ino,
                     has_birthday ? int64_t{s.stx_btime.tv_sec} * 1'000'000'000 + s.stx_btime.tv_nsec : 0,
                     s.stx_nlink, static_cast<int64_t>(s.stx_size)};
}

Location locate(const std::string& path) { return {look(path).value_or(FileState{}), path}; }

Files locateAll(const std::string& path) {
    return {locate(path), locate(path + "-wal"), locate(path + "-shm")};
}

bool isNetworkFileSystem(long magic) {
    constexpr unsigned long kCifs = 0xFF534D42, kSmb2 = 0xFE534D42, kCeph = 0x00C36400;
    switch (static_cast<unsigned long>(magic) & 0xFFFFFFFF) {
        case NFS_SUPER_MAGIC:
        case SMB_SUPER_MAGIC:
        case AFS_SUPER_MAGIC:
        case AFS_FS_MAGIC:
        case CODA_SUPER_MAGIC:
        case V9FS_MAGIC:
        case kCifs:
        case kSmb2:
        case kCeph: return true;
        default: return false;
    }
}

Ownership::~Ownership() {
    for (const int fd : {database_fd_, fd_})
        if (fd >= 0) ::close(fd);
}

bool Ownership::wasLastUsed(const Location& database) const {
    return last_used_.find(line("database", database)) != std::string::npos;
}

Result<void> Ownership::takeDatabase() {
    const int fd = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return cannot("open", path_, errno);
    if (database_fd_ >= 0) ::close(database_fd_);
    database_fd_ = fd;
    const auto refused = [&](const std::string& why) {
        return Error{ErrorClass::Config, "The store " + path_ + " " + why +
                                             " Give this server a store.url of its own; `find / -samefile " +
                                             path_ + "` shows all names of the file."};
    };
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return cannot("lock", path_, errno);
        return refused("is in use by another process under another name.");
    }
    const Location found = locate(path_);
    if (found.names > 1 && !wasLastUsed(found))
        return refused(
            "has " + std::to_string(found.names) +
            " names (hard links) and was last used under another one, beside which its log may lie.");
    return {};
}

// A copy of a whole folder has another log, too: that one belongs to its database.
Result<void> Ownership::setStrayLogAside() const {
    const std::string log = path_ + "-wal", aside = log + ".stray";
    const Location found = locate(log);
    const auto used = [&](const std::string& what) { return last_used_.find(what) != std::string::npos; };
    if (!found.exists() || !used("\ndatabase ") || wasLastUsed(locate(path_))) return {};
    if (!used(line("log", found))) return {};
    if (::rename(log.c_str(), aside.c_str()) != 0) return cannot("rename", log, errno);
    ::unlink((path_ + "-shm").c_str());
    return {};
}

void Ownership::remember() const {
    const std::string text = std::to_string(::getpid()) + "\n" + line("database", locate(path_)) +
                             line("log", locate(path_ + "-wal"));
    // Only a convenience is lost when this fails; the lock holds.
    static_cast<void>(replaceContent(fd_, text));
}

std::string realPath(const std::string& file) {
    namespace fs = std::filesystem;
    // It must stay the same file wherever the process goes.
    std::error_code none;
    fs::path path = fs::absolute(file, none);
    for (int links = 0; links < kMostLinks && fs::is_symlink(path, none); ++links)
        path = path.parent_path() / fs::read_symlink(path, none);
    const fs::path real = fs::weakly_canonical(path, none);
    return none ? path.string() : real.string();
}

Result<Ownership> own(const std::string& path) {
    const std::string folder = folderOf(path);
    if (auto made = makeFolder(folder); !made) return std::move(made).error();
    struct statfs fs {};
    if (::statfs(folder.c_str(), &fs) == 0 && isNetworkFileSystem(static_cast<long>(fs.f_type)))
        return Error{ErrorClass::Config,
                     "The store " + path +
                         " is on a network file system, where locks cannot be relied on. Set store.url to "
                         "a file on a local disk."};

    const std::string lock = path + ".lock";
    const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return cannot("open", lock, errno);
    const std::string before = contentOf(fd);
    Ownership ownership(fd, path, before);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return cannot("lock", lock, errno);
        return Error{ErrorClass::Config, "The store " + path + " is in use by " + ownerOf(fd) +
                                             ". Stop that one first, or give this one a store.url of its "
                                             "own."};
    }
    const std::string pid = std::to_string(::getpid());
    if (!replaceContent(fd, pid + before.substr(std::min(before.find('\n'), before.size()))))
        return cannot("write", lock, errno);
    return ownership;
}

Result<void> createFile(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) return {};
    if (fd < 0) return cannot("create", path, errno);
    ::close(fd);
    syncFolder(folderOf(path));
    return {};
}

}  // namespace stepper::store::sqlite
