// Instances of the isolation tests.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "core/plugin/isolation/remote_instance.h"
#include "tests/unit/plugin/drive.h"

namespace stepper::plugin {

// A folder of its own, with one file in it.
class TemporaryCopy {
public:
    explicit TemporaryCopy(const std::filesystem::path& of) {
        std::string name = testing::TempDir() + "stepper-isolation-XXXXXX";
        folder_ = ::mkdtemp(name.data());
        std::filesystem::copy(of, path());
    }
    ~TemporaryCopy() { std::filesystem::remove_all(folder_); }
    TemporaryCopy(const TemporaryCopy&) = delete;
    TemporaryCopy& operator=(const TemporaryCopy&) = delete;
    std::filesystem::path path() const { return folder_ / "copy.so"; }

private:
    std::filesystem::path folder_;
};

inline RemoteOptions remoteOptions() {
    RemoteOptions options;
    options.program = PLUGIN_PROCESS;
    options.arguments = {};
    options.step_timeout = milliseconds{10'000};
    return options;
}

inline std::string kindOf(const std::string& file) { return std::filesystem::path(file).stem(); }

inline std::unique_ptr<Instance> isolated(const std::string& file, const std::string& config = "",
                                          const RemoteOptions& options = remoteOptions()) {
    auto instance = createRemote(PrivateCopy(file), kindOf(file), config, options);
    if (!instance) ADD_FAILURE() << instance.error().message;
    return std::move(instance).value();
}

// The image stays mapped for good, as every image.
inline std::unique_ptr<Instance> inProcess(const std::string& file, const std::string& config = "") {
    LoadOptions options;
    options.copies_dir = testing::TempDir() + "stepper-isolation-" + std::to_string(::getpid());
    static std::vector<std::shared_ptr<const PluginImage>> images;
    images.push_back(PluginImage::load(std::filesystem::path(file), options).value());
    std::filesystem::remove_all(options.copies_dir);
    return createInProcess(images.back(), config).value();
}

}  // namespace stepper::plugin
