// Takes a dropped file in: reads it and checks it without running any of it.
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

}  // namespace stepper::plugin
