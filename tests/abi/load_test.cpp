// Which shared objects the host takes, and with what words it refuses the others.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/plugin/library/elf_check.h"
#include "core/plugin/library/image.h"

namespace stepper::plugin {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Load : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "stepper-abi-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        options_.copies_dir = folder_ / "copies";
        options_.probe_program = STEPPER_PROGRAM;
        options_.probe_timeout = std::chrono::seconds{5};
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::string refusal(const std::string& name) {
        const auto image = PluginImage::load(fs::path(PLUGINS) / (name + ".so"), options_);
        return image ? "loaded" : image.error().message;
    }

    fs::path folder_;
    LoadOptions options_;
};

std::string bytesOf(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(Load, GoodPluginsOfBothLanguages) {
    for (const auto* name : {"echo-c", "shout"}) {
        const auto image = PluginImage::load(fs::path(PLUGINS) / (std::string(name) + ".so"), options_);
        ASSERT_TRUE(image) << image.error().message;
        EXPECT_EQ((*image)->kind(), name);
        EXPECT_EQ((*image)->version(), "1.0.0");
    }
}

TEST_F(Load, RefusesWithTheReason) {
    const std::pair<const char*, const char*> cases[] = {
        {"bad-crash", "crashed while being probed"},
        {"bad-abort", "crashed while being probed"},
        {"bad-major", "built for ABI major 2"},
        {"bad-newer", "needs a host of ABI 1.1"},
        {"bad-null", "returned nothing"},
        {"bad-kind", "its kind is not"},
        {"bad-no-step", "function of its description is missing"},
        {"bad-schema", "config schema is not JSON"},
        {"bad-init", "its init refused"},
        {"bad-length", "its version is missing"},
        {"bad-short", "shorter than ABI 1.0"},
        {"bad-entry", "exports no function stepper_plugin_entry_v1"}};
    for (const auto& [name, reason] : cases) EXPECT_THAT(refusal(name), HasSubstr(reason)) << name;
}

TEST_F(Load, EndsAHangingProbe) {
    options_.probe_timeout = std::chrono::milliseconds{500};
    EXPECT_THAT(refusal("bad-hang"), HasSubstr("hung while being probed"));
}

TEST_F(Load, RefusesEveryTruncationWithoutMappingIt) {
    const std::string whole = bytesOf(fs::path(PLUGINS) / "echo-c.so");
    ASSERT_TRUE(checkSharedObject(whole, STEPPER_ENTRY_SYMBOL));
    for (size_t size = 0; size < whole.size(); size += 128)
        EXPECT_FALSE(checkSharedObject(std::string_view(whole).substr(0, size), STEPPER_ENTRY_SYMBOL))
            << size;
}

TEST_F(Load, RefusesWhatIsNoPluginFile) {
    const auto write = [&](const char* name, const std::string& bytes) {
        std::ofstream(folder_ / name, std::ios::binary) << bytes;
        return folder_ / name;
    };
    EXPECT_THAT(PluginImage::load(write("text.so", "hello"), options_).error().message,
                HasSubstr("not an ELF file"));
    EXPECT_THAT(PluginImage::load(folder_ / "absent.so", options_).error().message,
                HasSubstr("No such file"));
    EXPECT_THAT(PluginImage::load(folder_, options_).error().message, HasSubstr("not a regular file"));
    const auto open = write("open.so", bytesOf(fs::path(PLUGINS) / "echo-c.so"));
    ::chmod(open.c_str(), 0666);
    EXPECT_THAT(PluginImage::load(open, options_).error().message, HasSubstr("writable by everybody"));
}

TEST_F(Load, ReplacingTheFileDoesNotTouchTheLoadedImage) {
    const fs::path file = folder_ / "echo.so";
    fs::copy(fs::path(PLUGINS) / "echo-c.so", file);
    const auto image = PluginImage::load(file, options_);
    ASSERT_TRUE(image);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << "garbage written over the file in place";
    ASSERT_TRUE((*image)->map());
    EXPECT_EQ((*image)->table().kind.len, 6u);
}

}  // namespace
}  // namespace stepper::plugin
