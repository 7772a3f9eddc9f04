#include "core/plugin/isolation/call_marks.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/descriptor.h"
#include "core/base/file.h"
#include "core/base/text.h"

namespace stepper::plugin {
namespace {

constexpr const char* kFile = "running-calls";
constexpr size_t kSlots = 127;

template <size_t n>
void put(std::array<char, n>& to, std::string_view text) {
    to.fill('\0');
    std::copy_n(text.data(), std::min(text.size(), n), to.data());
}

template <size_t n>
std::string_view view(const std::array<char, n>& from) {
    return {from.data(), ::strnlen(from.data(), n)};
}

// Differs from one start of the machine to the next.
std::string bootId() {
    const auto id = readFile("/proc/sys/kernel/random/boot_id", 64);
    return id ? std::string(trim(*id)) : std::string();
}

struct alignas(128) Slot {
    std::array<char, 64> sha256;
    RunningCalls running;
};

}  // namespace

struct CallMarks::Page {
    alignas(128) std::array<char, 64> boot;
    std::array<Slot, kSlots> slots;
};

bool RunningCalls::any() const {
    return others > 0 ||
           std::any_of(steps.begin(), steps.end(), [](const auto& began) { return began != 0; });
}

CallMarks::CallMarks(const std::filesystem::path& dir) {
    static_assert(std::atomic<int64_t>::is_always_lock_free && std::atomic<int32_t>::is_always_lock_free);
    const auto path = dir / kFile;
    const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0600));
    // Room is made now: to write where the disk is full would be a SIGBUS.
    if (!file || ::posix_fallocate(file.get(), 0, sizeof(Page)) != 0) return;
    void* mapped = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (mapped == MAP_FAILED) return;
    page_ = static_cast<Page*>(mapped);  // for good: a call that never ends still counts in it
    const std::string boot = bootId();
    if (!boot.empty() && view(page_->boot) == boot)
        for (const auto& slot : page_->slots)
            if (slot.running.any()) died_.emplace(view(slot.sha256));
    std::memset(mapped, 0, sizeof(Page));  // what the counts are made of, too
    put(page_->boot, boot);
}

RunningCalls* CallMarks::of(const std::string& sha256) {
    std::lock_guard lock(mutex_);
    if (!page_) return nullptr;
    const auto known = by_sha_.find(sha256);
    if (known != by_sha_.end()) return known->second;
    if (by_sha_.size() == kSlots) return nullptr;
    Slot& slot = page_->slots[by_sha_.size()];
    put(slot.sha256, sha256);
    return by_sha_[sha256] = &slot.running;
}

void CallMarks::close() {
    if (page_) put(page_->boot, "");
}

}  // namespace stepper::plugin
