// Takes a dropped file in: checks it without running any of it, and copies it to where nobody writes over it.
#pragma once
#include <filesystem>
#include <string>

#include "core/base/result.h"

namespace stepper::plugin {

// The content of a file that may be a plugin: read in one go, complete, of this machine, and nobody but its
// owner's to change.
struct PluginFile {
    std::filesystem::path path;
    std::string bytes;
    std::string sha256;  // of bytes, in hexadecimal
};

// Config error with the path and the reason. A file that changes while it is read is refused, too.
Result<PluginFile> readPluginFile(const std::filesystem::path& path);

// Config error when others may put files into the folder.
Result<void> checkPluginsFolder(const std::filesystem::path& dir);

// The copy's place in `dir`: STEM-SHA.so. glibc compares path strings before inodes, a path that was loaded
// once returns the old image for ever; so every content has a path of its own.
std::filesystem::path copyPath(const std::filesystem::path& dir, const std::filesystem::path& file,
                               const std::string& sha256);
// Writes it; `dir` is made with mode 0700. Overloaded when the disk does not let it, Config otherwise.
Result<std::filesystem::path> privateCopy(const PluginFile& file, const std::filesystem::path& dir);

}  // namespace stepper::plugin
