// A folder of its own for each test of FileWatch, and what is done to files there.
#pragma once
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/base/file_watch.h"

namespace stepper {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
namespace fs = std::filesystem;
using Why = FileWatch::Why;

inline void write(const fs::path& file, const std::string& text) {
    std::ofstream(file, std::ios::trunc) << text;
}

inline std::string contents(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline void pointTo(const fs::path& target, const fs::path& link) {
    fs::create_symlink(target, link.string() + ".new");
    fs::rename(link.string() + ".new", link);
}

inline std::vector<fs::path> descriptors() {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) out.push_back(entry.path());
    return out;
}

// Which descriptor is the inotify queue, -1 when there is none.
inline int inotifyDescriptor() {
    for (const auto& fd : descriptors()) {
        std::error_code ec;
        if (fs::read_symlink(fd, ec) == "anon_inode:inotify") return std::stoi(fd.filename());
    }
    return -1;
}

inline size_t kernelWatches() {
    std::ifstream info("/proc/self/fdinfo/" + std::to_string(inotifyDescriptor()));
    size_t count = 0;
    for (std::string line; std::getline(info, line);) count += line.starts_with("inotify wd:");
    return count;
}

class Watch : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "stepper-watch-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
        etc_ = root_ / "etc";
        file_ = etc_ / "config.yaml";
        plugins_ = root_ / "plugins";
        fs::create_directory(etc_);
        fs::create_directory(plugins_);
        write(file_, "one");
    }
    void TearDown() override { fs::remove_all(root_); }

    // An event is queued before the system call that causes it returns, so nothing here has to wait for one.
    Why now() { return watch_.wait(steady_clock::now()); }
    void drain() {
        while (now() == Why::Changed) continue;
    }
    void start(std::vector<fs::path> paths) {
        const auto watched = watch_.watch(std::move(paths));
        ASSERT_TRUE(watched) << watched.error().message;
        ASSERT_EQ(now(), Why::Timeout);
    }
    void expectNoticed(const char* what, const std::function<void()>& change) {
        change();
        EXPECT_EQ(watch_.wait(steady_clock::now() + 5s), Why::Changed) << what;
        drain();
    }
    // Reads version after version of what a writer writes, who waits for each to be seen.
    void readUntil(int last, std::atomic<int>& seen, const std::function<std::string()>& read) {
        while (seen < last) {
            if (const auto text = read(); !text.empty()) seen = std::stoi(text);
            if (seen == last) break;
            const Why why = watch_.wait(steady_clock::now() + 5s);
            EXPECT_EQ(why, Why::Changed) << "after version " << seen;
            if (why != Why::Changed) break;
        }
    }
    void expectUnnoticed(const char* what, const std::function<void()>& change) {
        change();
        EXPECT_EQ(now(), Why::Timeout) << what;
        drain();
    }

    fs::path root_, etc_, file_, plugins_;
    FileWatch watch_;
};

}  // namespace stepper
