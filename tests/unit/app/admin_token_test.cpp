// The key that a server keeps for /admin. Right values after fsnow/cst#303 and n24q02m/mnemo-mcp#256
// (readable by others for a moment, or torn) and Keith-CY/carrier#867 (taken as it lies there).
#include "core/app/admin_token.h"

#include <fstream>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stepper::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class AdminTokenTest : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "stepper-token-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        file_ = folder_ / "state" / "admin-token";
    }
    void TearDown() override { fs::remove_all(folder_); }

    AdminToken kept() {
        auto token = keepAdminToken(file_);
        EXPECT_TRUE(token) << token.error().message;
        return token ? *token : AdminToken{};
    }
    // What several servers have that start at once.
    std::set<std::string> keptByMany() {
        std::set<std::string> seen;
        std::mutex mutex;
        std::vector<std::thread> servers;
        for (int i = 0; i < 8; ++i)
            servers.emplace_back([&] {
                const std::string token = kept().secret.reveal();
                std::lock_guard lock(mutex);
                seen.insert(token);
            });
        for (auto& server : servers) server.join();
        return seen;
    }
    std::string problem() {
        const auto token = keepAdminToken(file_);
        return token ? "" : token.error().message;
    }
    fs::path folder_, file_;
};

TEST_F(AdminTokenTest, IsMadeOnceAndForItsOwnerOnly) {
    const auto first = kept();
    EXPECT_EQ(first.secret.reveal().size(), 64u);
    EXPECT_EQ(first.finding, "");
    struct stat is {};
    ASSERT_EQ(::stat(file_.c_str(), &is), 0);
    EXPECT_EQ(is.st_mode & 07777, 0600u);
    ASSERT_EQ(::stat(file_.parent_path().c_str(), &is), 0);
    EXPECT_EQ(is.st_mode & 07777, 0700u);
    EXPECT_EQ(kept().secret, first.secret);
    EXPECT_EQ(readAdminToken(file_)->reveal(), first.secret.reveal());
    EXPECT_EQ(std::distance(fs::directory_iterator(file_.parent_path()), {}), 1) << "no draft is left";
    fs::remove(file_);
    EXPECT_NE(kept().secret, first.secret);
}

TEST_F(AdminTokenTest, WhatOthersMayKnowIsReplacedWithAWord) {
    const auto first = kept();
    for (const mode_t mode : {0604, 0640, 0620, 0602, 0666}) {
        ASSERT_EQ(::chmod(file_.c_str(), mode), 0);
        const auto next = kept();
        EXPECT_NE(next.secret, first.secret);
        EXPECT_THAT(next.finding, HasSubstr("could be used by others (mode 6")) << mode;
        EXPECT_EQ(kept().finding, "");
    }
    if (::geteuid() == 0) {
        ASSERT_EQ(::chown(file_.c_str(), 12345, 0), 0);
        EXPECT_THAT(kept().finding, HasSubstr("belonged to the user 12345; there is a new key"));
    }
}

TEST_F(AdminTokenTest, WhatIsNoKeyIsReplacedToo) {
    kept();
    for (const std::string& text : std::vector<std::string>{"", "\n", "short", std::string(64, 'G'),
                                                            std::string(65, 'a'), std::string(1000, 'a')}) {
        std::ofstream(file_) << text;
        EXPECT_THAT(kept().finding, HasSubstr("held no key")) << text;
    }
    const fs::path elsewhere = folder_ / "elsewhere";
    std::ofstream(elsewhere) << std::string(64, 'a');
    fs::permissions(elsewhere, fs::perms::owner_read);
    fs::remove(file_);
    fs::create_symlink(elsewhere, file_);
    EXPECT_THAT(kept().finding, HasSubstr("could not be read"));
    EXPECT_FALSE(fs::is_symlink(file_));
    fs::remove(file_);
    fs::create_directory(file_);
    EXPECT_THAT(problem(), HasSubstr("cannot put a new key in " + file_.string()));
}

TEST_F(AdminTokenTest, WithoutAFolderThereIsNoneAndTheReasonIsTold) {
    std::ofstream(folder_ / "state") << "a file";
    EXPECT_THAT(problem(), HasSubstr("cannot write " + file_.string()));
    EXPECT_THAT(problem(), HasSubstr("Not a directory"));
}

TEST_F(AdminTokenTest, AllWhoStartAtOnceHaveTheSame) {
    const auto seen = keptByMany();
    EXPECT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen.count(readAdminToken(file_)->reveal()), 1u);
}

TEST_F(AdminTokenTest, AllWhoReplaceAFlawedOneAtOnceHaveTheSame) {
    kept();
    for (int round = 0; round < 50; ++round) {
        ASSERT_EQ(::chmod(file_.c_str(), 0644), 0);
        const auto seen = keptByMany();
        ASSERT_EQ(seen.size(), 1u);
        ASSERT_EQ(seen.count(readAdminToken(file_)->reveal()), 1u);
    }
}

TEST_F(AdminTokenTest, AClientIsToldWhatToDo) {
    EXPECT_THAT(readAdminToken(file_).error().message,
                HasSubstr("there is no admin key in " + file_.string()));
    kept();
    std::ofstream(file_) << "x";
    EXPECT_THAT(readAdminToken(file_).error().message, HasSubstr("holds no admin key"));
}

TEST(AdminTokenPath, IsBesideTheStore) {
    config::Config config;
    config.store_url = "sqlite:/data/jobs.db";
    EXPECT_EQ(adminTokenPath(config), "/data/plugin-state/admin-token");
    config.store_url = "memory:";
    ::setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    EXPECT_EQ(adminTokenPath(config), "/run/user/7/stepper/admin-token");
    ::unsetenv("XDG_RUNTIME_DIR");
    EXPECT_THAT(adminTokenPath(config).string(),
                testing::EndsWith("/stepper-" + std::to_string(::geteuid()) + "/admin-token"));
    config.plugins.state_dir = "/state";
    EXPECT_EQ(adminTokenPath(config), "/state/admin-token");
}

}  // namespace
}  // namespace stepper::app
