#include "core/plugin/library/private_copy.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/base/descriptor.h"
#include "core/base/memory_file.h"

namespace stepper::plugin {
namespace fs = std::filesystem;
namespace {

bool writeAll(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
}

// What dlopen will do, tried on the first page: noexec mounts and security modules refuse it. Else errno.
bool mayRun(int fd) {
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    void* mapped = ::mmap(nullptr, page, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    if (mapped == MAP_FAILED) return false;
    ::munmap(mapped, page);
    return true;
}

bool mayRun(const fs::path& file) {
    const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    return opened && mayRun(opened.get());
}

bool isReadOnly(const fs::path& file) {
    struct statvfs info {};
    return ::statvfs(file.c_str(), &info) == 0 && (info.f_flag & ST_RDONLY);
}

// Else errno.
bool writeCopy(const PluginFile& plugin, const fs::path& dir, const fs::path& copy) {
    std::error_code ec;
    fs::create_directories(dir, ec);
    if (ec) return errno = ec.value(), false;
    ::chmod(dir.c_str(), 0700);
    const fs::path draft = copy.string() + "." + std::to_string(::getpid());
    ::unlink(draft.c_str());
    const auto written = [&] {
        const Descriptor out(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0500));
        return out && writeAll(out.get(), plugin.bytes) && ::fsync(out.get()) == 0;
    };
    if (written() && ::rename(draft.c_str(), copy.c_str()) == 0) return true;
    const int why = errno;
    ::unlink(draft.c_str());
    errno = why;
    return false;
}

// Memory that holds the plugin, cannot be changed and may run; none with errno.
Descriptor sealedMemory(const PluginFile& plugin) {
    const std::string name = "stepper plugin " + plugin.path.stem().string().substr(0, 64);
    Descriptor memory = memoryFile(name.c_str(), MemoryUse::Code);
    constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    if (!memory || !writeAll(memory.get(), plugin.bytes) || ::fcntl(memory.get(), F_ADD_SEALS, kSeals) != 0 ||
        !mayRun(memory.get()))
        return Descriptor();
    return memory;
}

std::string pathOf(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

}  // namespace

class PrivateCopy::Memory {
public:
    explicit Memory(Descriptor fd) : fd_(std::move(fd)) {}
    ~Memory() {
        if (kept_) fd_.release();
    }
    int get() const { return fd_.get(); }
    void keepForEver() { kept_ = true; }

private:
    Descriptor fd_;
    std::atomic<bool> kept_{false};
};

PrivateCopy::PrivateCopy(fs::path file) : path_(file), file_(std::move(file)) {}

Result<PrivateCopy> PrivateCopy::make(const PluginFile& plugin, const fs::path& dir) {
    PrivateCopy out;
    const fs::path copy = dir.empty() ? fs::path() : copyPath(dir, plugin.path, plugin.sha256);
    errno = ENOENT;
    if (!copy.empty() && writeCopy(plugin, dir, copy)) out.file_ = copy;
    if (!out.file_.empty() && mayRun(out.file_)) {
        out.path_ = out.file_;
        return out;
    }
    const int disk = errno;
    if (Descriptor memory = sealedMemory(plugin)) {
        out.memory_ = std::make_shared<Memory>(std::move(memory));
        out.path_ = pathOf(out.memory_->get());
        return out;
    }
    const int memory = errno;
    std::error_code ec;
    const fs::path shipped = fs::canonical(plugin.path, ec);
    if (!ec && isReadOnly(shipped) && mayRun(shipped)) {
        out.path_ = shipped;
        return out;
    }
    const bool written = !out.file_.empty();
    const std::string where = dir.empty() ? "no folder for private copies can be made" : dir.string();
    const std::string why = !written ? " cannot be written (" : " may not hold code, as if mounted noexec (";
    return Error{written ? ErrorClass::Config : ErrorClass::Overloaded,
                 plugin.path.string() + ": has no private copy to run: " + where +
                     (dir.empty() ? " (" : why) + std::strerror(disk) + "), nor may memory (" +
                     std::strerror(memory) +
                     "); set plugins.state_dir to a folder that is writable and not mounted noexec"};
}

bool PrivateCopy::isThere() const {
    std::error_code ec;
    return memory_ || fs::exists(path_, ec);
}

fs::path PrivateCopy::inChild(std::vector<ChildProcess::Handover>& descriptors) const {
    if (!memory_) return path_;
    int theirs = STDERR_FILENO + 1;
    for (const auto& other : descriptors) theirs = std::max(theirs, other.theirs + 1);
    descriptors.push_back({memory_->get(), theirs});
    return pathOf(theirs);
}

void PrivateCopy::keepForEver() const {
    if (memory_) memory_->keepForEver();
}

fs::path copyPath(const fs::path& dir, const fs::path& file, const std::string& sha256) {
    return dir / (file.stem().string() + "-" + sha256.substr(0, 16) + ".so");
}

}  // namespace stepper::plugin
