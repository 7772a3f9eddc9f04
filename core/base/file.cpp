#include "core/base/file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>

namespace stepper {
namespace {

constexpr size_t kPiece = 65'536;

Error unreadable(const std::filesystem::path& path, const std::string& why) {
    return Error{ErrorClass::Config, path.string() + ": cannot be read: " + why};
}

std::string_view kindOf(mode_t mode) {
    if (S_ISDIR(mode)) return "a folder";
    if (S_ISFIFO(mode)) return "a named pipe";
    if (S_ISSOCK(mode)) return "a socket";
    return "a device";
}

Error wrongKind(const std::filesystem::path& path, mode_t mode) {
    return unreadable(path, "it is " + std::string(kindOf(mode)) + ", not a regular file");
}

}  // namespace

// Looked at before it is opened, for opening some devices has consequences; and again after, for it may have
// been replaced.
Result<OpenedFile> openRegularFile(const std::filesystem::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return unreadable(path, std::strerror(errno));
    if (!S_ISREG(info.st_mode)) return wrongKind(path, info.st_mode);
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file || ::fstat(file.get(), &info) != 0) return unreadable(path, std::strerror(errno));
    if (!S_ISREG(info.st_mode)) return wrongKind(path, info.st_mode);
    return OpenedFile{std::move(file), info};
}

// Reads to the end, whatever size it says it has: files of /proc say none.
Result<std::string> readFile(const std::filesystem::path& path, size_t most) {
    const auto file = openRegularFile(path);
    if (!file) return file.error();
    std::string out;
    for (;;) {
        const size_t had = out.size();
        if (had == most) return out;
        out.resize(std::min(most, had + kPiece));
        const ssize_t n = ::read(file->descriptor.get(), out.data() + had, out.size() - had);
        const int why = errno;
        out.resize(had + static_cast<size_t>(std::max<ssize_t>(n, 0)));
        if (n == 0) return out;
        if (n < 0 && why != EINTR) return unreadable(path, std::strerror(why));
    }
}

Result<std::vector<std::string>> namesIn(const std::filesystem::path& folder) {
    const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), &::closedir);
    if (!open) return unreadable(folder, std::strerror(errno));
    std::vector<std::string> out;
    for (;;) {
        errno = 0;
        const dirent* entry =
            ::readdir(open.get());  // NOLINT(concurrency-mt-unsafe): nobody else has this one
        if (!entry && errno != 0) return unreadable(folder, std::strerror(errno));
        if (!entry) return out;
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") out.emplace_back(name);
    }
}

}  // namespace stepper
