#include "core/plugin/library/intake.h"

#include <cerrno>
#include <cstring>

#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/id.h"
#include "core/plugin/library/elf_check.h"
#include "sdk/include/stepper/plugin_abi.h"

namespace stepper::plugin {
namespace fs = std::filesystem;
namespace {

constexpr uintmax_t kMaxFileBytes = 256u << 20;

Error refused(const fs::path& file, std::string why) {
    return Error{ErrorClass::Config, file.string() + ": " + std::move(why)};
}

// Why a file of this kind is not read, "" when it may be.
std::string objection(const struct stat& info) {
    if (info.st_mode & S_IWOTH) return "writable by everybody; chmod o-w it";
    if (info.st_uid != 0 && info.st_uid != ::geteuid())
        return "owned by another user (uid " + std::to_string(info.st_uid) + ")";
    if (static_cast<uintmax_t>(info.st_size) > kMaxFileBytes) return "larger than 256 MiB";
    return {};
}

bool readAll(int fd, std::string& bytes) {
    size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t n = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += static_cast<size_t>(n);
    }
    return true;
}

bool sameState(const struct stat& a, const struct stat& b) {
    return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
           a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace

Result<PluginFile> readPluginFile(const fs::path& path) {
    const auto file = openRegularFile(path);
    if (!file) return file.error();
    const struct stat& before = file->info;
    struct stat after {};
    if (const auto why = objection(before); !why.empty()) return refused(path, why);
    PluginFile out{path, std::string(static_cast<size_t>(before.st_size), '\0'), {}};
    if (!readAll(file->descriptor.get(), out.bytes) || ::fstat(file->descriptor.get(), &after) != 0 ||
        !sameState(before, after))
        return refused(path, "incomplete: it changed while it was read; copy it again");
    if (auto sound = checkSharedObject(out.bytes, STEPPER_ENTRY_SYMBOL); !sound)
        return refused(path, sound.error().message);
    out.sha256 = sha256Hex(out.bytes);
    return out;
}

Result<void> checkPluginsFolder(const fs::path& dir) {
    struct stat info {};
    if (::stat(dir.c_str(), &info) != 0 || ::access(dir.c_str(), R_OK | X_OK) != 0)
        return refused(dir, std::string("the plugins folder cannot be read: ") + std::strerror(errno));
    if (!S_ISDIR(info.st_mode)) return refused(dir, "the plugins folder is not a folder");
    if ((info.st_mode & S_IWOTH) && !(info.st_mode & S_ISVTX))
        return refused(dir, "everybody may write into the plugins folder; chmod o-w it");
    return {};
}

}  // namespace stepper::plugin
