// Where a plugin's content goes when the disk does not take it; real mounts are tried in tests/fault.
#include "core/plugin/library/private_copy.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/descriptor.h"
#include "core/plugin/abi/session.h"
#include "core/plugin/library/image.h"

namespace stepper::plugin {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

class PrivateCopyTest : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "stepper-copy-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        std::ofstream(folder_ / "file") << "no folder";
    }
    void TearDown() override { fs::remove_all(folder_); }

    static PluginFile variant(const std::string& name) {
        return readPluginFile(fs::path(VARIANTS) / ("variant-" + name + ".so")).value();
    }
    static std::string bytesOf(const fs::path& file) {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    fs::path folder_;
};

TEST_F(PrivateCopyTest, IsAFileWhereOneCanBeWritten) {
    const auto plugin = variant("a");
    const auto copy = PrivateCopy::make(plugin, folder_ / "copies").value();
    EXPECT_EQ(copy.path(), copyPath(folder_ / "copies", plugin.path, plugin.sha256));
    EXPECT_EQ(copy.file(), copy.path());
    EXPECT_EQ(bytesOf(copy.path()), plugin.bytes);
    std::vector<ChildProcess::Handover> descriptors;
    EXPECT_EQ(copy.inChild(descriptors), copy.path());
    EXPECT_TRUE(descriptors.empty());
    EXPECT_TRUE(copy.isThere());
    fs::remove(copy.path());
    EXPECT_FALSE(copy.isThere());
}

TEST_F(PrivateCopyTest, IsSealedMemoryElse) {
    const auto plugin = variant("a");
    for (const fs::path& nowhere :
         {fs::path(), folder_ / "file" / "copies", fs::path("/proc/no/such/folder")}) {
        const auto copy = PrivateCopy::make(plugin, nowhere);
        ASSERT_TRUE(copy) << nowhere << ": " << copy.error().message;
        EXPECT_THAT(copy->path().string(), StartsWith("/proc/self/fd/"));
        EXPECT_TRUE(copy->file().empty());
        EXPECT_TRUE(copy->isThere());
        EXPECT_EQ(bytesOf(copy->path()), plugin.bytes);
        const Descriptor writer(::open(copy->path().c_str(), O_RDWR | O_CLOEXEC));
        EXPECT_EQ(::pwrite(writer.get(), "x", 1, 0), -1) << "nobody may write over what is mapped";
        EXPECT_EQ(::ftruncate(writer.get(), 0), -1);
    }
}

TEST_F(PrivateCopyTest, AChildGetsMemoryAsItsNextDescriptor) {
    const auto copy = PrivateCopy::make(variant("a"), {}).value();
    std::vector<ChildProcess::Handover> none, some{{10, 0}, {11, 3}};
    EXPECT_EQ(copy.inChild(none), "/proc/self/fd/3");
    EXPECT_EQ(copy.inChild(some), "/proc/self/fd/4");
    EXPECT_EQ(some.back().theirs, 4);
}

TEST_F(PrivateCopyTest, PluginsInMemoryAreProbedRunHereAndRunApart) {
    LoadOptions options;
    options.probe_program = STEPPER_PROGRAM;
    options.probe_timeout = std::chrono::seconds{10};
    const auto image = PluginImage::load(variant("a"), options);
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ((*image)->version(), "1.0.0");
    for (const auto isolation : {config::Isolation::None, config::Isolation::Process}) {
        const auto provider = Provider::create(*image, R"({"base_url":"http://127.0.0.1:9"})", isolation);
        EXPECT_TRUE(provider) << provider.error().message;
    }
}

TEST_F(PrivateCopyTest, APathOfMemoryThatWasMappedIsNeverGivenToOtherContent) {
    std::vector<std::string> seen;
    for (const char* name : {"a", "b", "a"}) {
        const auto image = PluginImage::load(variant(name), {.copies_dir = {}, .probe_program = {}}).value();
        EXPECT_EQ(image->version(), name == std::string("a") ? "1.0.0" : "2.0.0");
        EXPECT_THAT(seen, testing::Not(testing::Contains(image->copy().path().string())));
        seen.push_back(image->copy().path());
    }
}

}  // namespace
}  // namespace stepper::plugin
