// A plugin's content where nobody writes over it and from where the system lets it run. Owned together by all
// copies of the value; immutable, any thread.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/plugin/isolation/child_process.h"
#include "core/plugin/library/intake.h"

namespace stepper::plugin {

class PrivateCopy {
public:
    // A file as it is: what a child was told to map, and what tests bring.
    explicit PrivateCopy(std::filesystem::path file);

    // A file in `dir`, which is made with mode 0700. Where that cannot be written or may not hold code
    // (noexec), sealed memory; where memory may not either, the plugin's own file if its file system is
    // read-only. Config error that says what to change; Overloaded when only the disk was in the way.
    static Result<PrivateCopy> make(const PluginFile& plugin, const std::filesystem::path& dir);

    // What to map in this process.
    const std::filesystem::path& path() const { return path_; }
    // The file in `dir`, for the next process; empty where it could not be written.
    const std::filesystem::path& file() const { return file_; }
    // False once somebody has removed what path() names.
    bool isThere() const;

    // What a child has to map: adds the handover of memory to `descriptors`, after all others.
    std::filesystem::path inChild(std::vector<ChildProcess::Handover>& descriptors) const;
    // It is about to be mapped, for good. glibc knows what it has mapped by path, and the path of memory that
    // was given back would later name other content.
    void keepForEver() const;

private:
    class Memory;
    PrivateCopy() = default;

    std::filesystem::path path_, file_;
    std::shared_ptr<Memory> memory_;  // null: path_ is a file
};

// The copy's place in `dir`: STEM-SHA.so. A path that was loaded once returns the old image for ever, so
// every content has a path of its own.
std::filesystem::path copyPath(const std::filesystem::path& dir, const std::filesystem::path& file,
                               const std::string& sha256);

}  // namespace stepper::plugin
