// Reads files and folders that somebody named by their paths.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "core/base/descriptor.h"
#include "core/base/result.h"

namespace stepper {

struct OpenedFile {
    Descriptor descriptor;
    struct stat info;  // as it was when it was opened
};

// For reading, and only what is a regular file or leads to one: a pipe would be waited for, a device may
// do something. Config error that starts with the path.
Result<OpenedFile> openRegularFile(const std::filesystem::path& path);

// Its first `most` bytes; one byte more than may be taken shows that it is too large. Errors as above.
Result<std::string> readFile(const std::filesystem::path& path, size_t most);

// What is in a folder but "." and "..", in no order. Config error that starts with the path. Unlike the
// standard's directory_iterator, which ends the process there, it throws std::bad_alloc where there is no
// memory.
Result<std::vector<std::string>> namesIn(const std::filesystem::path& folder);

}  // namespace stepper
