#include "core/store/sqlite/location.h"

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

std::string ownerOf(int fd) {
    char text[32] = {};
    const ssize_t n = ::pread(fd, text, sizeof text - 1, 0);
    const std::string pid(text, n > 0 ? std::strspn(text, "0123456789") : 0);
    return pid.empty() ? "another process" : "process " + pid;
}

void syncFolder(const std::string& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

}  // namespace

Location locate(const std::string& path) {
    struct stat s {};
    if (::stat(path.c_str(), &s) != 0) return {path};
    return {path, s.st_dev, s.st_ino};
}

bool isInPlace(const Location& location) {
    const Location now = locate(location.path);
    return now.inode == location.inode && now.device == location.device;
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
    if (fd_ >= 0) ::close(fd_);
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
    Ownership ownership(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return cannot("lock", lock, errno);
        return Error{ErrorClass::Config, "The store " + path + " is in use by " + ownerOf(fd) +
                                             ". Stop that one first, or give this one a store.url of its "
                                             "own."};
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0)
        return cannot("write", lock, errno);
    return ownership;
}

Result<void> createFile(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return cannot("open", path, errno);
    ::close(fd);
    syncFolder(folderOf(path));
    return {};
}

}  // namespace stepper::store::sqlite
