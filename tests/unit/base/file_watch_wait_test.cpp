// FileWatch in use: waiting, settling, watching anew, races and resources.
#include <atomic>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include "tests/unit/base/file_watch_fixture.h"

namespace stepper {
namespace {

using testing::HasSubstr;

TEST_F(Watch, WatchReplacesWhatWasWatched) {
    start({file_});
    start({plugins_});
    expectUnnoticed("no longer", [&] { write(file_, "2"); });
    expectNoticed("now", [&] { write(plugins_ / "a.so", "1"); });
    start({plugins_, file_});
    expectNoticed("again", [&] { write(file_, "3"); });
    start({});
    expectUnnoticed("nothing", [&] { write(file_, "4"); });
    start({""});
    EXPECT_EQ(kernelWatches(), 0u) << "an empty path is no path";
}

TEST_F(Watch, WatchingAgainLosesNothing) {
    start({file_});
    write(file_, "2");
    ASSERT_TRUE(watch_.watch({file_}));
    EXPECT_EQ(now(), Why::Changed);
}

TEST_F(Watch, RelativePaths) {
    start({fs::relative(file_)});
    expectNoticed("written", [&] { write(file_, "2"); });
}

TEST_F(Watch, WakeEndsTheWaitAndComesFirst) {
    start({file_});
    std::thread other([&] { watch_.wake(); });
    EXPECT_EQ(watch_.wait(steady_clock::now() + 30s), Why::Woken);
    other.join();
    EXPECT_EQ(now(), Why::Timeout);
    write(file_, "2");
    watch_.wake();
    watch_.wake();
    EXPECT_EQ(now(), Why::Woken);
    EXPECT_EQ(now(), Why::Changed);
    drain();
}

TEST_F(Watch, TimeRunsOut) {
    start({file_});
    const auto until = steady_clock::now() + 20ms;
    EXPECT_EQ(watch_.wait(until), Why::Timeout);
    EXPECT_GE(steady_clock::now(), until);
}

TEST_F(Watch, NoiseDoesNotKeepAWaitFromEnding) {
    start({file_});
    std::atomic<bool> stop{false};
    std::thread noise([&] {
        while (!stop) write(etc_ / "noise", "x");
    });
    EXPECT_EQ(watch_.wait(steady_clock::now() + 20ms), Why::Timeout);
    stop = true;
    noise.join();
}

TEST_F(Watch, SettleCollectsUntilItIsQuiet) {
    start({file_});
    for (int i = 0; i < 5; ++i) write(file_, std::to_string(i));
    ASSERT_EQ(now(), Why::Changed);
    const auto began = steady_clock::now();
    EXPECT_TRUE(watch_.settle(20ms, 10s));
    EXPECT_GE(steady_clock::now() - began, 20ms);
    EXPECT_LT(steady_clock::now() - began, 5s);
    EXPECT_EQ(now(), Why::Timeout);
}

TEST_F(Watch, SettleEndsWhileChangesGoOn) {
    start({file_});
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        while (!stop) write(file_, "x");
    });
    const auto began = steady_clock::now();
    EXPECT_TRUE(watch_.settle(1h, 50ms));
    EXPECT_GE(steady_clock::now() - began, 50ms);
    EXPECT_LT(steady_clock::now() - began, 5s);
    stop = true;
    writer.join();
    drain();
    const auto quiet_since = steady_clock::now();
    EXPECT_TRUE(watch_.settle(1h, 20ms)) << "and while none does";
    EXPECT_LT(steady_clock::now() - quiet_since, 5s);
}

TEST_F(Watch, SettleDoesNotOutstayItsTimeForWhatIsQueued) {
    start({file_});
    for (int i = 0; i < 1000; ++i) {
        fs::rename(file_, etc_ / "away");
        fs::rename(etc_ / "away", file_);
    }
    EXPECT_TRUE(watch_.settle(1h, 0ms));
    EXPECT_EQ(now(), Why::Changed);
    drain();
}

TEST_F(Watch, WakeEndsSettleAtOnce) {
    start({file_});
    watch_.wake();
    const auto began = steady_clock::now();
    EXPECT_FALSE(watch_.settle(10s, 30s));
    EXPECT_LT(steady_clock::now() - began, 5s);
}

// Every version has to be seen before the next is made: one lost change and nothing more ever happens.
TEST_F(Watch, NoChangeIsLostWhileTheStructureChanges) {
    constexpr int kVersions = 300;
    const fs::path direct = plugins_ / "a.so", linked = etc_ / "app.yaml";
    fs::create_symlink("..data/app.yaml", linked);
    std::atomic<int> seen{0};
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        for (int version = 1; version <= kVersions && !stop; ++version) {
            const auto text = std::to_string(version);
            if (version % 3 == 0) {
                fs::remove_all(plugins_);
                fs::create_directory(plugins_);
                write(direct, text);
            } else if (version % 3 == 1) {
                fs::create_directory(root_ / text);
                write(root_ / text / "a.so", text);
                fs::rename(plugins_, root_ / ("old" + text));
                fs::rename(root_ / text, plugins_);
            } else {
                write(direct, text);
            }
            fs::create_directory(etc_ / (".." + text));
            pointTo(".." + text, etc_ / "..data");
            write(linked, text);
            while (seen < version && !stop) std::this_thread::yield();
        }
    });
    ASSERT_TRUE(watch_.watch({plugins_, linked}));
    readUntil(kVersions, seen, [&] { return contents(direct) == contents(linked) ? contents(linked) : ""; });
    stop = true;
    writer.join();
    EXPECT_EQ(seen, kVersions);
}

// Directories that appear one by one while their parents are only about to be watched. What is written last
// is written in place, which nobody tells of unless the innermost directory is watched.
TEST_F(Watch, NoDirectoryIsMissedWhileATreeAppears) {
    constexpr int kVersions = 600;
    const fs::path file = root_ / "a/b/c/d/f";
    std::atomic<int> seen{0};
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        for (int version = 1; version <= kVersions && !stop; ++version) {
            if (version % 2) {
                if (fs::exists(root_ / "a"))
                    fs::rename(root_ / "a", root_ / ("old" + std::to_string(version)));
                for (const auto* directory : {"a", "a/b", "a/b/c", "a/b/c/d"}) {
                    // Meets another moment of the watcher's work each time.
                    const auto pause = std::chrono::microseconds{version * 7 % 60};
                    for (const auto until = steady_clock::now() + pause; steady_clock::now() < until;)
                        continue;
                    fs::create_directory(root_ / directory);
                }
            }
            write(file, std::to_string(version));
            while (seen < version && !stop) std::this_thread::yield();
        }
    });
    ASSERT_TRUE(watch_.watch({file}));
    readUntil(kVersions, seen, [&] { return contents(file); });
    stop = true;
    writer.join();
    EXPECT_EQ(seen, kVersions);
}

TEST_F(Watch, LeaksNothing) {
    const std::vector<fs::path> one{file_}, other{plugins_, root_ / "absent/deep"};
    start(one);
    const size_t open = descriptors().size(), watches = kernelWatches();
    ASSERT_GT(watches, 0u);
    for (int i = 0; i < 1000; ++i) {
        ASSERT_TRUE(watch_.watch(i % 2 ? one : other));
        if (i % 50) continue;
        fs::remove_all(plugins_);
        fs::create_directory(plugins_);
    }
    ASSERT_TRUE(watch_.watch(one));
    EXPECT_EQ(descriptors().size(), open);
    EXPECT_EQ(kernelWatches(), watches);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(FileWatch().watch(one));
    EXPECT_EQ(descriptors().size(), open);
}

TEST_F(Watch, ItsDescriptorsEndWithExec) {
    start({file_});
    int mine = 0;
    for (const auto& fd : descriptors()) {
        std::error_code ec;
        if (!fs::read_symlink(fd, ec).string().starts_with("anon_inode:")) continue;
        ++mine;
        EXPECT_TRUE(::fcntl(std::stoi(fd.filename()), F_GETFD) & FD_CLOEXEC) << fd;
    }
    EXPECT_GE(mine, 2);
}

// No descriptor can be had in between, which some checks of the sanitizers need too: locals without virtuals
// only.
TEST_F(Watch, WithoutInotifyItIsATimerUntilThereIsOne) {
    const std::vector<fs::path> paths{file_};
    FileWatch watch;
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none{3, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    const auto refused = watch.watch(paths);
    const Why why = watch.wait(steady_clock::now());
    watch.wake();
    const Why woken = watch.wait(steady_clock::now() + 5s);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("periodic look only: Too many open files"));
    EXPECT_EQ(why, Why::Timeout);
    EXPECT_EQ(woken, Why::Woken);
    ASSERT_TRUE(watch.watch(paths));
    write(file_, "2");
    EXPECT_EQ(watch.wait(steady_clock::now() + 5s), Why::Changed);
}

TEST_F(Watch, WithoutAnyDescriptorItIsWokenAllTheSame) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none{3, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    FileWatch watch;
    watch.wake();
    const Why woken = watch.wait(steady_clock::now() + 30s);
    const Why then = watch.wait(steady_clock::now());
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(woken, Why::Woken);
    EXPECT_EQ(then, Why::Timeout);
    ASSERT_TRUE(watch.watch({file_}));
    EXPECT_EQ(watch.wait(steady_clock::now()), Why::Timeout);
    watch.wake();
    EXPECT_EQ(watch.wait(steady_clock::now() + 5s), Why::Woken);
}

}  // namespace
}  // namespace stepper
