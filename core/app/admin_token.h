// The key of /admin where none is configured: a random one in a file that only its owner may read. A server
// writes it; the command line finds it by the same configuration.
#pragma once
#include <filesystem>

#include "core/config/config.h"

namespace stepper::app {

// Where it is, absolute: in the state folder, or in the user's runtime folder where nothing is kept.
std::filesystem::path adminTokenPath(const config::Config& config);

struct AdminToken {
    config::Secret secret;
    std::string finding;  // a sentence on what was found in its place and replaced, "" when nothing was
};

// For the server: the one that is there, or a new one in the place of none and of one that others may have
// read or written. Several processes may do so at once. Config error when there can be none.
Result<AdminToken> keepAdminToken(const std::filesystem::path& path);

// For a client. Config error that says what to do.
Result<config::Secret> readAdminToken(const std::filesystem::path& path);

}  // namespace stepper::app
