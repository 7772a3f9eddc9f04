// What is read by its path is a regular file, and nothing is waited for.
#include "core/base/file.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/temporary_folder.h"

namespace stepper {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
protected:
    fs::path put(const std::string& name, const std::string& text) const {
        std::ofstream(folder_.path() / name) << text;
        return folder_.path() / name;
    }
    std::string refusal(const fs::path& path) const {
        const auto read = readFile(path, 100);
        return read ? "read" : read.error().message;
    }

    const TemporaryFolder folder_;
};

TEST_F(FileTest, ReadsUpToAsManyBytes) {
    const auto file = put("some", "0123456789");
    for (const size_t most : {0u, 1u, 9u, 10u, 11u, 100'000u})
        EXPECT_EQ(*readFile(file, most), std::string("0123456789").substr(0, most)) << most;
    const std::string large(200'000, 'x');
    EXPECT_EQ(*readFile(put("large", large), 1'000'000), large);
    EXPECT_EQ(*readFile(put("empty", ""), 10), "");
    EXPECT_GT(readFile("/proc/self/status", 100'000)->size(), 100u) << "its size is said to be 0";
    fs::create_symlink(file, folder_.path() / "link");
    EXPECT_EQ(readFile(folder_.path() / "link", 5).value(), "01234") << "mounted secrets are symlinks";
}

TEST_F(FileTest, WhatIsNoFileIsNamed) {
    const fs::path pipe = folder_.path() / "pipe", unix_socket = folder_.path() / "socket";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    sockaddr_un address{AF_UNIX, {}};
    unix_socket.string().copy(address.sun_path, sizeof address.sun_path - 1);
    const Descriptor listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    fs::create_symlink("loop", folder_.path() / "loop");
    fs::create_symlink(pipe, folder_.path() / "to-pipe");

    const std::string suffix = ", not a regular file";
    EXPECT_EQ(refusal(pipe), pipe.string() + ": cannot be read: it is a named pipe" + suffix);
    EXPECT_THAT(refusal(folder_.path() / "to-pipe"), testing::HasSubstr("a named pipe" + suffix));
    EXPECT_THAT(refusal(unix_socket), testing::HasSubstr("it is a socket" + suffix));
    EXPECT_THAT(refusal(folder_.path()), testing::HasSubstr("it is a folder" + suffix));
    EXPECT_THAT(refusal("/dev/zero"), testing::HasSubstr("it is a device" + suffix));
    EXPECT_THAT(refusal(folder_.path() / "none"),
                testing::EndsWith("none: cannot be read: No such file or directory"));
    EXPECT_THAT(refusal(folder_.path() / "loop"), testing::HasSubstr("Too many levels of symbolic links"));
}

}  // namespace
}  // namespace stepper
