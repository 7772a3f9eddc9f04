// Says that something may have changed about a set of files and directories. Only a hint: whoever is told
// looks for himself, and looks now and then without being told, because nobody tells of changes on network
// and some overlay file systems. Where the system refuses the descriptors for being told, it is a timer that
// ends often.
//
// Used by one thread; wake() may be called from any thread and from a signal handler.
#pragma once
#include <atomic>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/descriptor.h"
#include "core/base/result.h"

namespace stepper {

class FileWatch {
public:
    FileWatch();
    FileWatch(const FileWatch&) = delete;
    FileWatch& operator=(const FileWatch&) = delete;

    // Replaces what is watched; watch first, look afterwards, and nothing is missed. A directory counts with
    // everything directly inside and the files that symlinks inside lead to, a file with every symlink and
    // directory on its way. A path that does not exist yet is noticed when it appears. Its siblings are not
    // noticed. Costs microseconds when nothing changed, so call it again after every look.
    // Config error with what cannot be watched and why; the rest is, and wait() still serves as a timer.
    Result<void> watch(const std::vector<std::filesystem::path>& paths);

    enum class Why { Changed, Woken, Timeout };
    // Blocks until something may have changed, wake() was called or `until` has passed, and asks once even
    // when it has. By the time it returns Changed, whatever appeared is watched too.
    Why wait(SteadyTime until);
    // To be called after Changed: blocks until nothing has changed for `quiet`, at most `at_most` in all.
    // False when woken, which ends it at once.
    bool settle(milliseconds quiet, milliseconds at_most);
    // Ends the wait that is under way, or else the next one.
    void wake();

    // What matters about one directory.
    struct Interest {
        bool everything = false;
        std::set<std::string> names;
        bool operator==(const Interest&) const = default;
    };

private:
    using Plan = std::map<std::filesystem::path, Interest>;
    Plan survey() const;
    Result<void> apply(const Plan& plan);
    Result<void> establish();
    bool takeEvents();

    void ensureWake();
    bool takeWake();

    Descriptor inotify_, wake_;
    std::atomic<int> wake_fd_{-1};  // of wake_, for other threads
    std::atomic<bool> woken_{false};
    std::vector<std::filesystem::path> paths_;
    std::map<int, Interest> watched_;  // by watch descriptor
    bool in_flux_ = false;
};

}  // namespace stepper
