// Variables in a file, as the dotenv of Node reads them: NAME=value, NAME: value, `export` before, #
// comments, values in ', " or ` over several lines, \n and \r in "..." only, a # in a bare value ends it, the
// last of a name counts, ${...} has no meaning. What dotenv passes over in silence, a line that is none of
// these, is refused.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"

namespace stepper::config {

struct EnvFile {
    Environment variables;
    std::vector<std::string> warnings;  // complete sentences, without values
};

// `name` is the file's in messages. Config errors are lines of "name:line:column: problem", without what is
// written there. Pure.
Result<EnvFile> parseEnvFile(std::string_view text, const std::string& name);

// A regular file; one that everybody on the machine may read or write is warned of.
Result<EnvFile> readEnvFile(const std::filesystem::path& path);

}  // namespace stepper::config
