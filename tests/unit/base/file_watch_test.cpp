// What FileWatch notices and what it does not.
#include <gmock/gmock.h>
#include <sys/fsuid.h>
#include <sys/stat.h>

#include "tests/unit/base/file_watch_fixture.h"

namespace stepper {
namespace {

using testing::HasSubstr;

TEST_F(Watch, AFile) {
    start({file_});
    expectNoticed("overwritten in place", [&] { write(file_, "two"); });
    expectNoticed("renamed over", [&] {
        write(etc_ / "draft", "three");
        fs::rename(etc_ / "draft", file_);
    });
    expectNoticed("overwritten after that", [&] { write(file_, "four"); });
    expectNoticed("chmod", [&] { ::chmod(file_.c_str(), 0600); });
    expectNoticed("moved away", [&] { fs::rename(file_, etc_ / "old"); });
    expectNoticed("created", [&] { write(file_, "five"); });
    expectNoticed("deleted", [&] { fs::remove(file_); });
    expectNoticed("a hard link in its place", [&] { fs::create_hard_link(etc_ / "old", file_); });
}

TEST_F(Watch, ADirectory) {
    start({plugins_});
    expectNoticed("created", [&] { write(plugins_ / "a.so", "1"); });
    expectNoticed("overwritten in place", [&] { write(plugins_ / "a.so", "2"); });
    expectNoticed("renamed within", [&] { fs::rename(plugins_ / "a.so", plugins_ / "b.so"); });
    expectNoticed("moved in", [&] { fs::rename(file_, plugins_ / "c.so"); });
    expectNoticed("moved out", [&] { fs::rename(plugins_ / "c.so", file_); });
    expectNoticed("chmod of an entry", [&] { ::chmod((plugins_ / "b.so").c_str(), 0600); });
    expectNoticed("chmod of the directory", [&] { ::chmod(plugins_.c_str(), 0700); });
    expectNoticed("deleted", [&] { fs::remove(plugins_ / "b.so"); });
    expectUnnoticed("elsewhere", [&] { write(root_ / "a.so", "1"); });
}

TEST_F(Watch, ADirectoryRemovedAndMadeAgain) {
    start({plugins_});
    for (int i = 0; i < 3; ++i) {
        expectNoticed("removed", [&] { fs::remove_all(plugins_); });
        expectNoticed("made", [&] { fs::create_directory(plugins_); });
        expectNoticed("a file in the new one", [&] { write(plugins_ / "a.so", "1"); });
    }
    expectNoticed("moved away", [&] { fs::rename(plugins_, root_ / "old"); });
    expectUnnoticed("a file in what was moved away", [&] { write(root_ / "old" / "b.so", "1"); });
    expectNoticed("moved back", [&] { fs::rename(root_ / "old", plugins_); });
    expectNoticed("a file in it", [&] { write(plugins_ / "b.so", "2"); });
    expectNoticed("another put in its place at once", [&] {
        fs::create_directory(root_ / "new");
        fs::rename(plugins_, root_ / "old");
        fs::rename(root_ / "new", plugins_);
    });
    expectNoticed("a file in the other", [&] { write(plugins_ / "a.so", "1"); });
}

TEST_F(Watch, AnAncestorReplaced) {
    fs::create_directories(root_ / "a/b/c");
    write(root_ / "a/b/c/f", "1");
    start({root_ / "a/b/c/f"});
    expectNoticed("moved away", [&] { fs::rename(root_ / "a", root_ / "z"); });
    expectUnnoticed("written where it no longer is", [&] { write(root_ / "z/b/c/f", "2"); });
    expectNoticed("made again", [&] {
        fs::create_directories(root_ / "a/b/c");
        write(root_ / "a/b/c/f", "3");
    });
    expectNoticed("written", [&] { write(root_ / "a/b/c/f", "4"); });
}

TEST_F(Watch, WhatDoesNotExistYet) {
    const fs::path deep = root_ / "x" / "y" / "z.yaml";
    start({deep, root_ / "later"});
    expectUnnoticed("another name", [&] { fs::create_directory(root_ / "other"); });
    expectNoticed("its first directory", [&] { fs::create_directory(root_ / "x"); });
    expectNoticed("its second", [&] { fs::create_directory(root_ / "x/y"); });
    expectNoticed("itself", [&] { write(deep, "1"); });
    expectNoticed("itself again", [&] { write(deep, "2"); });
    expectNoticed("a directory", [&] { fs::create_directory(root_ / "later"); });
    expectNoticed("a file in it", [&] { write(root_ / "later" / "a.so", "1"); });
}

TEST_F(Watch, SymlinksToAFile) {
    fs::create_directories(root_ / "one");
    fs::create_directories(root_ / "two");
    write(root_ / "one/f", "1");
    write(root_ / "two/f", "2");
    fs::create_symlink(root_ / "one", root_ / "current");
    const fs::path link = etc_ / "link.yaml";
    fs::create_symlink("../current/./f", link);
    start({link});
    expectNoticed("the target overwritten", [&] { write(root_ / "one/f", "3"); });
    expectUnnoticed("a file that is not the target", [&] { write(root_ / "two/f", "3"); });
    expectNoticed("a link on the way swapped", [&] { pointTo(root_ / "two", root_ / "current"); });
    expectNoticed("the new target overwritten", [&] { write(root_ / "two/f", "4"); });
    expectUnnoticed("the old target", [&] { write(root_ / "one/f", "4"); });
    expectNoticed("the link itself swapped", [&] { pointTo("config.yaml", link); });
    expectNoticed("what it leads to now", [&] { write(file_, "5"); });
    expectNoticed("left dangling", [&] { pointTo("nowhere.yaml", link); });
    expectNoticed("no longer dangling", [&] { write(etc_ / "nowhere.yaml", "6"); });
    expectNoticed("a link to itself", [&] { pointTo("link.yaml", link); });
    expectNoticed("a file instead of the link", [&] {
        write(etc_ / "draft", "7");
        fs::rename(etc_ / "draft", link);
    });
}

// A mounted ConfigMap: name -> ..data/name, ..data -> ..2024_1, and ..data is what gets swapped.
TEST_F(Watch, TheKubernetesWay) {
    const auto publish = [&](const std::string& version) {
        fs::create_directory(etc_ / version);
        write(etc_ / version / "app.yaml", version);
        pointTo(version, etc_ / "..data");
    };
    publish("..2024_1");
    const fs::path file = etc_ / "app.yaml";
    fs::create_symlink("..data/app.yaml", file);
    start({file});
    for (int i = 2; i < 6; ++i) {
        expectNoticed("swapped", [&] { publish("..2024_" + std::to_string(i)); });
        EXPECT_EQ(contents(file), "..2024_" + std::to_string(i));
        expectUnnoticed("the version before removed",
                        [&] { fs::remove_all(etc_ / ("..2024_" + std::to_string(i - 1))); });
        expectNoticed("edited in place",
                      [&] { write(etc_ / ("..2024_" + std::to_string(i)) / "app.yaml", "x"); });
    }
}

TEST_F(Watch, WhatSymlinksInADirectoryLeadTo) {
    fs::create_directories(root_ / "releases/1");
    fs::create_directories(root_ / "releases/2");
    write(root_ / "releases/1/a.so", "1");
    write(root_ / "releases/2/a.so", "2");
    fs::create_symlink("1", root_ / "releases/current");
    start({plugins_});
    expectNoticed("linked", [&] { fs::create_symlink("../releases/current/a.so", plugins_ / "a.so"); });
    expectNoticed("the target overwritten", [&] { write(root_ / "releases/1/a.so", "3"); });
    expectNoticed("a link on the way swapped", [&] { pointTo("2", root_ / "releases/current"); });
    expectNoticed("the new target overwritten", [&] { write(root_ / "releases/2/a.so", "4"); });
    expectNoticed("a link to a directory", [&] { fs::create_symlink("../etc", plugins_ / "sub"); });
    expectUnnoticed("what is inside of that", [&] { write(file_, "2"); });
}

TEST_F(Watch, NoiseBesideAFile) {
    const fs::path database = etc_ / "store.db";
    write(database, "");
    start({file_});
    expectUnnoticed("a database that writes", [&] {
        std::ofstream open(database, std::ios::app);
        for (int i = 0; i < 300; ++i) {
            open << "page" << std::flush;
            write(etc_ / "store.db-journal", "undo");
            fs::remove(etc_ / "store.db-journal");
        }
    });
    expectUnnoticed("reading", [&] { contents(file_); });
    expectNoticed("the file itself, amid noise", [&] {
        write(database, "x");
        write(file_, "two");
        write(database, "y");
    });
}

TEST_F(Watch, AWriterWhoHasNotClosedIsNotWorthALook) {
    start({file_});
    std::ofstream open(file_, std::ios::app);
    expectUnnoticed("written, not closed", [&] { open << "half" << std::flush; });
    expectNoticed("closed", [&] { open.close(); });
}

TEST_F(Watch, AnOverflowingQueueCountsAsAChange) {
    int limit = 0;
    std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit;
    if (limit <= 0 || limit > 50'000) GTEST_SKIP() << "queue of " << limit;
    start({file_});
    const fs::path noise = etc_ / "noise";
    for (int i = 0; i < limit; ++i) {
        write(noise, "");
        fs::remove(noise);
    }
    expectNoticed("overflow", [&] { write(file_, "lost"); });
    expectNoticed("after it", [&] { write(file_, "seen"); });
}

// A parent without read permission cannot be watched; what is inside tells of its own end.
TEST_F(Watch, AParentThatMayNotBeRead) {
    ::chmod(root_.c_str(), 0311);
    const bool root = ::geteuid() == 0;
    const auto asNobody = [&](const std::function<void()>& act) {
        if (root) ::setfsuid(65534);
        act();
        if (root) ::setfsuid(0);
    };
    asNobody([&] {
        const auto watched = watch_.watch({plugins_ / "a.so"});
        ASSERT_FALSE(watched);
        EXPECT_THAT(watched.error().message, HasSubstr(root_.string() + ": changes are found by the"));
        EXPECT_THAT(watched.error().message, HasSubstr("Permission denied"));
    });
    write(plugins_ / "a.so", "1");
    asNobody([&] { EXPECT_EQ(now(), Why::Changed); });
    asNobody([&] { drain(); });
    fs::remove(plugins_ / "a.so");
    asNobody([&] { drain(); });
    fs::remove(plugins_);
    asNobody([&] { EXPECT_EQ(now(), Why::Changed); });
    ::chmod(root_.c_str(), 0700);
}

}  // namespace
}  // namespace stepper
