#include "core/base/temporary_folder.h"

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stepper {
namespace {
namespace fs = std::filesystem;

class TemporaryFolders : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "folders-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        base_ = name;
    }
    void TearDown() override { fs::remove_all(base_); }

    // As a process that is killed leaves it.
    fs::path abandoned() const {
        const pid_t pid = ::fork();
        if (pid == 0) {
            const TemporaryFolder folder(base_);
            std::ofstream(folder.path() / "copy.so") << "x";
            ::_exit(folder.path().empty() ? 1 : 0);
        }
        int status = -1;
        ::waitpid(pid, &status, 0);
        EXPECT_EQ(status, 0);
        for (const auto& entry : fs::directory_iterator(base_))
            if (fs::exists(entry.path() / "copy.so")) return entry.path();
        return {};
    }

    fs::path base_;
};

TEST_F(TemporaryFolders, IsPrivateAndGoesWithItsOwner) {
    std::optional<TemporaryFolder> folder(base_);
    const fs::path path = folder->path();
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0700u);
    std::ofstream(path / "copy.so") << "x";
    folder.reset();
    EXPECT_TRUE(fs::is_empty(base_));
}

TEST_F(TemporaryFolders, TheNextOneRemovesWhatAKilledProcessLeft) {
    const fs::path left = abandoned();
    ASSERT_FALSE(left.empty());
    const TemporaryFolder next(base_);
    EXPECT_FALSE(fs::exists(left));
    EXPECT_TRUE(fs::exists(next.path()));
}

TEST_F(TemporaryFolders, LeavesAloneWhatIsInUseOrNotOurs) {
    const TemporaryFolder used(base_);
    fs::create_directory(base_ / "stepper-run.backup");  // somebody's own: no lock in it
    std::ofstream(base_ / "stepper-run.file") << "x";
    fs::create_directory(base_ / "other");
    std::ofstream(base_ / "other" / ".lock") << "";
    fs::create_directory_symlink(base_ / "other", base_ / "stepper-run.link");
    const TemporaryFolder next(base_);
    for (const auto* name : {"stepper-run.backup", "stepper-run.file", "other/.lock", "stepper-run.link"})
        EXPECT_TRUE(fs::exists(base_ / name)) << name;
    EXPECT_TRUE(fs::exists(used.path()));
    EXPECT_NE(used.path(), next.path());
}

TEST_F(TemporaryFolders, HasNoPathWhereNoneCanBeMade) {
    EXPECT_TRUE(TemporaryFolder(base_ / "absent").path().empty());
}

}  // namespace
}  // namespace stepper
