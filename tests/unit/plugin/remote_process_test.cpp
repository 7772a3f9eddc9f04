// The process of an isolated plugin: what it is given, and that nothing of it is left behind.
#include <csignal>
#include <cstdio>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/descriptor.h"
#include "tests/unit/plugin/isolated.h"

namespace stepper::plugin {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

size_t openDescriptors() {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator{}));
}

// Of this process and whatever its other threads started; zombies count.
std::set<int> children() {
    std::set<int> out;
    for (const auto& task : fs::directory_iterator("/proc/self/task")) {
        std::ifstream in(task.path() / "children");
        for (int pid = 0; in >> pid;) out.insert(pid);
    }
    return out;
}

int pidOf(Instance& instance) { return std::stoi(said(instance, "pid")); }

template <class F>
milliseconds timeOf(F&& f) {
    const auto began = steady_clock::now();
    f();
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
}

TEST(RemoteProcess, FiftyRestartsLeaveNothingBehind) {
    RemoteOptions options = remoteOptions();
    options.restarts.at_once = 1'000;
    const auto before = children();
    auto instance = isolated(WOBBLY, "", options);
    const size_t descriptors = openDescriptors();
    for (int i = 0; i < 50; ++i) {
        ASSERT_THAT(said(*instance, i % 2 ? "segfault" : "exit"), testing::HasSubstr("its own process ("));
        EXPECT_EQ(children(), before) << "a zombie";
        ASSERT_EQ(said(*instance, "say a"), "a");
        EXPECT_EQ(openDescriptors(), descriptors);
    }
    instance.reset();
    EXPECT_EQ(children(), before);
    EXPECT_EQ(openDescriptors(), descriptors - 1);
}

TEST(RemoteProcess, DestructionIsTidyAndQuick) {
    const TemporaryCopy sign(WOBBLY);
    auto instance = isolated(WOBBLY, sign.path());
    const int pid = pidOf(*instance);
    EXPECT_EQ(::kill(pid, 0), 0);
    said(*instance, "refuse");  // no session, so none to end
    EXPECT_LT(timeOf([&] { instance.reset(); }).count(), 5'000);
    EXPECT_FALSE(fs::exists(sign.path())) << "the plugin was not asked to destroy its provider";
    EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(RemoteProcess, DestructionOfAHangingPluginIsBounded) {
    RemoteOptions options = remoteOptions();
    options.step_timeout = milliseconds{1'000};
    auto instance = isolated(WOBBLY, "destroy hang", options);
    const int pid = pidOf(*instance);
    const milliseconds took = timeOf([&] { instance.reset(); });
    EXPECT_GE(took.count(), 900);
    EXPECT_LT(took.count(), 3'000);
    EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(RemoteProcess, OneThatIsStoppedHangs) {
    RemoteOptions options = remoteOptions();
    options.step_timeout = milliseconds{1'000};
    const auto instance = isolated(WOBBLY, "", options);
    auto session = instance->begin(Purpose::Generate, "say a").value();
    const std::string large(8u << 20, 'x');  // more than the socket takes
    for (const std::string_view data : {std::string_view{}, std::string_view(large)}) {
        const int pid = pidOf(*instance);
        auto victim = instance->begin(Purpose::Generate, "say a").value();
        ::kill(pid, SIGSTOP);
        Shown out;
        const milliseconds took = timeOf([&] { out = step(*victim, eventOf(STEPPER_EV_DATA, data)); });
        ASSERT_FALSE(out.result);
        EXPECT_EQ(out.result.error().message, "plugin wobbly hung in its own process and was ended after 1s");
        EXPECT_GE(took.count(), 900);
        EXPECT_LT(took.count(), 1'800);
        EXPECT_EQ(::kill(pid, 0), -1);
        EXPECT_EQ(said(*instance, "say back"), "back");
    }
}

TEST(RemoteProcess, TheTimeItTakesToSendCounts) {
    RemoteOptions options = remoteOptions();
    options.step_timeout = milliseconds{2'000};
    const auto instance = isolated(WOBBLY, "", options);
    const int pid = pidOf(*instance);
    const std::string large(8u << 20, 'x');  // more than the socket takes
    auto session = instance->begin(Purpose::Generate, "hang").value();
    ::kill(pid, SIGSTOP);
    std::thread waker([&] {
        ::usleep(1'200'000);
        ::kill(pid, SIGCONT);
    });
    const milliseconds took = timeOf([&] { step(*session, eventOf(STEPPER_EV_DATA, large)); });
    waker.join();
    EXPECT_LT(took.count(), 2'900);
}

TEST(RemoteProcess, MayIdleForLongerThanACallMayTake) {
    RemoteOptions options = remoteOptions();
    options.step_timeout = milliseconds{1'000};
    const auto instance = isolated(WOBBLY, "", options);
    const int pid = pidOf(*instance);
    siginfo_t info{};
    for (int i = 0; i < 200 && info.si_pid == 0; ++i) {
        ::usleep(10'000);
        ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT | WNOHANG), 0);
    }
    EXPECT_EQ(info.si_pid, 0) << "it ended";
    EXPECT_EQ(pidOf(*instance), pid);
}

TEST(RemoteProcess, OneThatDiedInItsSleepIsReplacedUnseen) {
    const auto instance = isolated(WOBBLY);
    const int pid = pidOf(*instance);
    ::kill(pid, SIGKILL);
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
    EXPECT_EQ(said(*instance, "say here"), "here");
}

TEST(RemoteProcess, GetsNothingOfOurs) {
    const Descriptor leaked(::fcntl(STDERR_FILENO, F_DUPFD, 20));  // not close-on-exec
    ASSERT_TRUE(leaked);
    ASSERT_EQ(::setenv("OPENAI_API_KEY", "sk-secret", 1), 0);
    const auto instance = isolated(WOBBLY);
    EXPECT_EQ(said(*instance, "descriptors"), "0 1 2 3 of 32");
    EXPECT_THAT(said(*instance, "environment"), testing::Not(testing::HasSubstr("sk-secret")));
}

TEST(RemoteProcess, ALeakEndsThere) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer's own memory passes every limit";
#else
    RemoteOptions options = remoteOptions();
    EXPECT_EQ(said(*isolated(WOBBLY, "", options), "leak"), "memory ends");
    options.memory_bytes = 0;
    EXPECT_EQ(said(*isolated(WOBBLY, "", options), "leak"), "memory is endless");
#endif
}

// Starts a host that steps `request`, waits until `sign` was printed, kills it; how the plugin's orphaned
// process ended. -1: not within 5 s.
int orphanStatus(const char* request, char sign) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // the orphan becomes ours
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t host = ::fork();
    if (host == 0) {
        ::signal(SIGALRM, SIG_IGN);  // a host's habits are not its child's
        ::dup2(ends[1], STDOUT_FILENO);
        ::dup2(ends[1], STDERR_FILENO);
        ::execl(PLUGIN_PROCESS, PLUGIN_PROCESS, WOBBLY, request, nullptr);
        std::_Exit(127);
    }
    Descriptor reader(ends[0]);
    ::close(ends[1]);
    std::string printed;
    for (char c = 0; c != sign && ::read(reader.get(), &c, 1) == 1;) printed += c;
    EXPECT_THAT(printed, testing::EndsWith(std::string(1, sign)));
    const pid_t orphan = std::atoi(printed.c_str());
    ::kill(host, SIGKILL);
    EXPECT_EQ(::waitpid(host, nullptr, 0), host);
    const auto until = steady_clock::now() + std::chrono::seconds{5};
    int status = 0;
    while (::waitpid(orphan, &status, WNOHANG) == 0) {
        if (steady_clock::now() > until) {
            ::kill(orphan, SIGKILL);
            ::waitpid(orphan, &status, 0);
            return -1;
        }
        ::usleep(5'000);
    }
    return status;
}

TEST(RemoteProcess, DoesNotOutliveItsHost) {
    const int idle = orphanStatus("say nothing", '\n');
    EXPECT_TRUE(WIFEXITED(idle)) << idle;  // by itself, not by its alarm
}

TEST(RemoteProcess, DoesNotHangOnWithoutItsHost) {
    const int hanging = orphanStatus("hang aloud", '!');
    EXPECT_TRUE(WIFSIGNALED(hanging) && WTERMSIG(hanging) == SIGALRM) << hanging;
}

}  // namespace
}  // namespace stepper::plugin
