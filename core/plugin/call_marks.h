// Whose code was running when a process died. Counts lie in a mapped file, which the kernel keeps however the
// process ends; what a machine that lost its power left there is not believed.
#pragma once
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "core/base/result.h"

namespace stepper::plugin {

// How many calls of one plugin run. Lock-free, in memory that outlives the process.
using CallMark = std::atomic<int32_t>;

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
    CallMark* of(const std::string& sha256);

private:
    struct Page;
    Page* page_ = nullptr;
    std::set<std::string> died_;
    std::mutex mutex_;  // by_sha_
    std::map<std::string, CallMark*> by_sha_;
};

}  // namespace stepper::plugin
