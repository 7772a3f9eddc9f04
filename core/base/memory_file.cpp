#include "core/base/memory_file.h"

#include <cerrno>

#include <sys/mman.h>

namespace stepper {
namespace {

// Since Linux 6.3. Where vm.memfd_noexec is 2, a file that may run or does not say is refused.
constexpr unsigned kMayNotRun = 0x0008, kMayRun = 0x0010;

}  // namespace

Descriptor memoryFile(const char* name, MemoryUse use) {
    constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    const int fd = ::memfd_create(name, kFlags | (use == MemoryUse::Code ? kMayRun : kMayNotRun));
    return Descriptor(fd < 0 && errno == EINVAL ? ::memfd_create(name, kFlags) : fd);
}

}  // namespace stepper
