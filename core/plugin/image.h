// A plugin's shared object, mapped into this process, and what it says of itself.
#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "sdk/include/stepper/plugin_abi.h"

namespace stepper::plugin {

// Receives what plugins log. Called from any thread.
using LogSink = std::function<void(int level, std::string_view message)>;

struct LoadOptions {
    // Where private copies go; created with mode 0700. The dropped file itself is never mapped: writing over
    // a mapped file kills the process.
    std::filesystem::path copies_dir;
    // The program that probes a file in a child process: `probe_program plugin probe --child FILE`. Empty: no
    // probe (only for that child itself, and for tests of the steps behind it).
    std::filesystem::path probe_program;
    std::chrono::milliseconds probe_timeout{2'000};
};

// Immutable after load(); safe from any thread. Stays mapped until the process ends, even when the last owner
// is gone: code of it may still be on some stack, and a retired image costs some tens of KiB.
class PluginImage {
public:
    // Checks the file (see elf_check.h), copies it, probes the copy in a child, then maps it and checks its
    // description. Config error with the reason; nothing of a refused file stays mapped in this process
    // unless it passed the child's probe and failed here.
    static Result<std::shared_ptr<const PluginImage>> load(const std::filesystem::path& file,
                                                           const LoadOptions& options);

    const std::filesystem::path& file() const { return file_; }
    const std::string& sha256() const { return sha256_; }
    const std::string& kind() const { return kind_; }
    const std::string& version() const { return version_; }
    const std::string& configSchema() const { return config_schema_; }
    uint64_t capabilities() const { return table_->capabilities; }
    uint32_t abiVersion() const { return table_->abi_version; }
    const stepper_plugin& table() const { return *table_; }

private:
    PluginImage() = default;
    std::filesystem::path file_;
    std::string sha256_, kind_, version_, config_schema_;
    const stepper_plugin* table_ = nullptr;
};

// What plugins may log goes here; process-wide, because images outlive everything that could own a sink.
void setPluginLog(LogSink sink);

// Body of the probing child: maps FILE, runs its constructors, entry, init, and a create with an empty
// configuration, and prints what it found as one line of JSON, or the reason on standard error. The exit
// status.
int probeMain(const std::filesystem::path& file);

}  // namespace stepper::plugin
