#include "core/base/temporary_folder.h"

#include <cstdlib>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace stepper {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPrefix = "stepper-run.";
constexpr const char* kLock = ".lock";
constexpr int kTries = 10;

// None: somebody else has it, or (without O_CREAT) there is no such file.
Descriptor locked(const fs::path& folder, int flags) {
    Descriptor file(::open((folder / kLock).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600));
    return file && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 ? std::move(file) : Descriptor();
}

bool isOurs(const fs::path& folder) {
    struct stat info {};
    return ::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::geteuid();
}

// Removes what nobody has locked. One without a lock file is just being made.
void sweep(const fs::path& base) {
    std::error_code ec;
    for (fs::directory_iterator it(base, ec); !ec && it != fs::directory_iterator{}; it.increment(ec)) {
        const fs::path& folder = it->path();
        if (!folder.filename().native().starts_with(kPrefix) || !isOurs(folder)) continue;
        const Descriptor abandoned = locked(folder, 0);
        std::error_code ignored;
        if (abandoned) fs::remove_all(folder, ignored);
    }
}

fs::path systemsFolder() {
    std::error_code ec;
    const fs::path base = fs::temp_directory_path(ec);
    return ec ? fs::path("/tmp") : base;
}

}  // namespace

TemporaryFolder::TemporaryFolder() : TemporaryFolder(systemsFolder()) {}

TemporaryFolder::TemporaryFolder(const fs::path& base) {
    sweep(base);
    // Another process may sweep between the two steps; it has the lock then.
    for (int i = 0; i < kTries && !lock_; ++i) {
        std::string name = (base / kPrefix).string() + "XXXXXX";
        if (!::mkdtemp(name.data())) return;
        lock_ = locked(name, O_CREAT);
        if (lock_) path_ = name;
    }
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace stepper
