// Watches files on a thread of its own, which the file system of a server that is gone may hold for ever:
// nobody waits for it. Safe from any thread.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

namespace stepper::runtime {

class Watcher {
public:
    // `changed` is called on that thread when something may have changed and has come to rest, and once
    // other files than before are watched, for what changed meanwhile was not seen. When there is no thread,
    // or something cannot be watched, that is logged.
    explicit Watcher(std::function<void()> changed);
    // Calls `changed` no more.
    ~Watcher();
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    // These from now on.
    void watch(std::vector<std::filesystem::path> paths);

private:
    struct Shared;
    const std::shared_ptr<Shared> shared_;
};

}  // namespace stepper::runtime
