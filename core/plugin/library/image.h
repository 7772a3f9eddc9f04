// A plugin's shared object and what it says of itself. Mapped into this process only when a provider runs
// here.
#pragma once
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/errands.h"
#include "core/base/result.h"
#include "core/plugin/library/intake.h"
#include "core/plugin/library/private_copy.h"
#include "core/plugin/proving/conduct.h"
#include "sdk/include/stepper/plugin_abi.h"

namespace stepper::plugin {

// Receives what plugins log. Called from any thread.
using LogSink = std::function<void(int level, std::string_view message)>;

// 1 to 64 of a-z, 0-9 and -.
bool isKind(std::string_view name);

// What a plugin says of itself.
struct Description {
    std::string kind, version, config_schema;
    uint64_t capabilities = 0;
    uint32_t abi_version = 0;
};

struct LoadOptions {
    // Where private copies go, see private_copy.h; empty: nowhere on disk. A dropped file that can be written
    // to is never mapped itself: writing over a mapped file kills the process.
    std::filesystem::path copies_dir;
    // The program that probes a file in a child process, `probe_program plugin probe --child FILE`, and runs
    // isolated providers. Empty: no probe (only for that child itself, and for tests of the steps behind it).
    std::filesystem::path probe_program;
    std::chrono::milliseconds probe_timeout{2'000};
    // The configurations of the providers that would use a plugin, by kind: the probe tries these.
    std::map<std::string, std::vector<std::string>> configs = {};
    // Where files are read and foreign code is started; null: on the calling thread, however long it takes.
    std::shared_ptr<Errands> errands = nullptr;
};

// Immutable after load() but for being mapped; safe from any thread. Stays mapped until the process ends,
// even when the last owner is gone: code of it may still be on some stack, and a retired image costs some
// tens of KiB.
class PluginImage {
public:
    // Copies the file, probes the copy in a child and takes its description from there. Config error with the
    // reason; nothing of a refused file is ever mapped in this process, unless there is no probe.
    static Result<std::shared_ptr<const PluginImage>> load(const PluginFile& file,
                                                           const LoadOptions& options);
    // Reads and checks the file first (see intake.h).
    static Result<std::shared_ptr<const PluginImage>> load(const std::filesystem::path& file,
                                                           const LoadOptions& options);

    // Maps the file itself, without checks, copy or probe; for the processes that are made to die of it.
    static Result<std::shared_ptr<const PluginImage>> open(const std::filesystem::path& copy);

    const std::filesystem::path& file() const { return file_; }
    const PrivateCopy& copy() const { return copy_; }
    const std::filesystem::path& program() const { return program_; }
    const std::shared_ptr<Errands>& errands() const { return errands_; }
    const std::string& sha256() const { return sha256_; }
    const std::string& kind() const { return description_.kind; }
    const std::string& version() const { return description_.version; }
    const std::string& configSchema() const { return description_.config_schema; }
    uint64_t capabilities() const { return description_.capabilities; }
    uint32_t abiVersion() const { return description_.abi_version; }
    Conduct& conduct() const { return conduct_; }
    // How many configured providers run it. Counted by themselves.
    int users() const { return users_; }
    void addUser(int n) const { users_ += n; }

    // Maps it into this process unless it is; Config error with the reason.
    Result<void> map() const;
    // Only after map() succeeded.
    const stepper_plugin& table() const { return *table_; }
    // Nobody will use it again: lets it give back what it holds, unless it still starts. It stays mapped.
    void deinit() const;
    // Its own transcripts, "" when it brings none. Only after map() succeeded.
    std::string_view embeddedTranscripts() const;

private:
    PluginImage(std::filesystem::path file, PrivateCopy copy)
        : file_(std::move(file)), copy_(std::move(copy)) {}
    std::filesystem::path file_;
    PrivateCopy copy_;
    std::filesystem::path program_;
    std::shared_ptr<Errands> errands_;
    std::string sha256_;
    Description description_;
    mutable Conduct conduct_;
    mutable std::atomic<int> users_{0};
    mutable std::mutex mapping_;
    mutable const stepper_plugin* table_ = nullptr;
};

using Image = std::shared_ptr<const PluginImage>;

// Maps the file and runs its init. Errors hold the reason alone; the caller knows which file to name.
Result<const stepper_plugin*> openImage(const std::filesystem::path& copy);

// Hands on what a plugin logs to where setPluginLog() said.
void logOfPlugins(int level, std::string_view message);
// What plugins may log goes here; process-wide, because images outlive everything that could own a sink.
void setPluginLog(LogSink sink);

}  // namespace stepper::plugin
