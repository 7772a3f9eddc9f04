// Whose code was running when a process died. Counts lie in a mapped file, which the kernel keeps however the
// process ends; what a machine that lost its power left there is not believed.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "core/base/result.h"

namespace stepper::plugin {

// The calls of one plugin that run. Lock-free, in memory that may outlive the process.
struct RunningCalls {
    static constexpr size_t kSteps = 64;
    std::array<std::atomic<int64_t>, kSteps> steps{};  // when each began, in ticks of the clock; 0: none
    std::atomic<int32_t> others{0};                    // how many

    bool any() const;
};

class CallMarks {
public:
    // Takes the file of the folder over, made if need be; the folder belongs to the caller. Without one
    // everything works, but nothing is known of a death.
    explicit CallMarks(const std::filesystem::path& dir);
    CallMarks(const CallMarks&) = delete;
    CallMarks& operator=(const CallMarks&) = delete;

    // The sha256 of those whose calls ran when the process before this one ended.
    const std::set<std::string>& died() const { return died_; }
    // That plugin's, until the process ends; null when there is no room. Safe from any thread.
    RunningCalls* of(const std::string& sha256);
    // The process ends in order: what still runs then dies of that and not of itself.
    void close();

private:
    struct Page;
    Page* page_ = nullptr;
    std::set<std::string> died_;
    std::mutex mutex_;  // by_sha_
    std::map<std::string, RunningCalls*> by_sha_;
};

}  // namespace stepper::plugin
