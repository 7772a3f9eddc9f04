#include "core/app/allocator.h"

#include <algorithm>
#include <thread>

#include <malloc.h>
#include <pthread.h>

namespace stepper::app {
namespace {

// Bodies this large are mapped on their own and go back at once. glibc would raise this, and with it what it
// keeps, to the largest body it ever saw freed, up to 32 MiB in each arena.
constexpr int kMappedFrom = 256 * 1024;
constexpr int kKeptOnTop = 1024 * 1024;
// Of its eight, each with free pieces that no other can use. With two, threads that just woke wait for each
// other.
constexpr unsigned kArenasPerCore = 4;
constexpr size_t kStackBytes = 2u << 20;

}  // namespace

void giveFreedMemoryBack() {
    ::mallopt(M_MMAP_THRESHOLD, kMappedFrom);
    ::mallopt(M_TRIM_THRESHOLD, kKeptOnTop);
    ::mallopt(M_ARENA_MAX,
              static_cast<int>(kArenasPerCore * std::max(1U, std::thread::hardware_concurrency())));
}

void reserveLittlePerThread() {
    pthread_attr_t attributes;
    if (::pthread_attr_init(&attributes) != 0) return;
    if (::pthread_attr_setstacksize(&attributes, kStackBytes) == 0) ::pthread_setattr_default_np(&attributes);
    ::pthread_attr_destroy(&attributes);
}

}  // namespace stepper::app
