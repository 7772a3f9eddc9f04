#include "core/base/cancel.h"

#include <array>
#include <filesystem>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stepper {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

TEST(Cancel, ASourceWakesASleeperAtOnce) {
    CancelSource source(CancelReason::Draining);
    CancelToken token;
    token.watch(source);
    EXPECT_EQ(token.check(), CancelReason::None);
    std::thread other([&] { source.cancel(); });
    EXPECT_EQ(token.sleepUntil(steady_clock::now() + 30s), CancelReason::Draining);
    other.join();
    EXPECT_EQ(token.check(), CancelReason::Draining);
}

TEST(Cancel, TimeRunsOutWithoutAReason) {
    CancelSource source(CancelReason::Requested);
    CancelToken token;
    token.watch(source);
    EXPECT_EQ(token.sleepUntil(steady_clock::now() + 5ms), CancelReason::None);
    EXPECT_EQ(CancelToken().sleepUntil(steady_clock::now() - 1s), CancelReason::None);
}

// Two connected sockets: ours, and the client's.
class CancelClient : public ::testing::Test {
protected:
    CancelClient() {
        int ends[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        ours_ = Descriptor(ends[0]);
        client_ = Descriptor(ends[1]);
        token_.watchClient(ours_.get(), hang_ups_);
    }

    HangUps hang_ups_;
    Descriptor ours_, client_;
    CancelToken token_;
};

TEST_F(CancelClient, ThatHangsUpWakesTheSleeper) {
    EXPECT_EQ(token_.check(), CancelReason::None);
    std::thread other([&] { client_.close(); });
    EXPECT_EQ(token_.sleepUntil(steady_clock::now() + 30s), CancelReason::ClientGone);
    other.join();
}

TEST_F(CancelClient, ThatHangsUpDuringALongWaitRingsTheBell) {
    Bell bell;
    CancelToken::Alert alert(token_, bell);
    const auto until = steady_clock::now() + 30s;
    for (auto look = alert.lookBy(until); look < until; look = alert.lookBy(until)) bell.sleepUntil(look);
    client_.close();
    bell.sleepUntil(until);
    EXPECT_LT(steady_clock::now(), until);
    EXPECT_EQ(token_.check(), CancelReason::ClientGone);
}

TEST_F(CancelClient, ThatHungUpBeforeTheSleepIsSeenAtOnce) {
    client_.close();
    EXPECT_EQ(token_.sleepUntil(steady_clock::now() + 30s), CancelReason::ClientGone);
}

TEST_F(CancelClient, ThatTalksWakesNobody) {
    Bell bell;
    CancelToken::Alert alert(token_, bell);
    ASSERT_EQ(::write(client_.get(), "GET", 3), 3);
    const auto until = steady_clock::now() + 20ms;
    bell.sleepUntil(until);
    EXPECT_GE(steady_clock::now(), until);
}

TEST_F(CancelClient, ThatEndsBehindAFurtherRequestStillListens) {
    ASSERT_EQ(::write(client_.get(), "GET", 3), 3);
    ::shutdown(client_.get(), SHUT_WR);
    EXPECT_EQ(token_.sleepUntil(steady_clock::now() + 5ms), CancelReason::None);
}

// epoll takes no plain file, as it takes nothing when the kernel has no memory for it.
TEST(Cancel, WhoCannotBeToldOfAHangUpLooksNowAndThen) {
    HangUps hang_ups;
    const Descriptor file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    CancelToken token;
    token.watchClient(file.get(), hang_ups);
    Bell bell;
    CancelToken::Alert alert(token, bell);
    for (int looks = 0; looks < 3; ++looks) {
        const auto now = steady_clock::now();
        const auto look = alert.lookBy(now + 1h);
        EXPECT_LT(look, now + 5s);
        bell.sleepUntil(look);
    }
    const auto past = steady_clock::now() - 1h;
    EXPECT_EQ(alert.lookBy(past), past);
}

TEST(Cancel, NeitherSourcesNorSleepersTakeDescriptors) {
    const auto open = [] { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}); };
    const auto before = open();
    std::array<std::optional<CancelSource>, 50> sources;
    std::vector<std::thread> sleepers;
    std::atomic<int> woken{0};
    for (auto& source : sources) {
        source.emplace(CancelReason::Requested);
        sleepers.emplace_back([&] {
            CancelToken token;
            token.watch(*source);
            woken += token.sleepUntil(steady_clock::now() + 30s) == CancelReason::Requested;
        });
    }
    EXPECT_EQ(open(), before);
    for (auto& source : sources) source->cancel();
    for (auto& sleeper : sleepers) sleeper.join();
    EXPECT_EQ(woken, 50);
}

// A sleeper may go in the moment in which it is told; the sanitizers watch.
TEST(Cancel, ASleeperMayLeaveWhileItIsToldTo) {
    for (int round = 0; round < 300; ++round) {
        CancelSource source(CancelReason::Requested), other(CancelReason::Draining);
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; ++i)
            threads.emplace_back([&, i] {
                CancelToken token;
                token.watch(source);
                token.watch(other);
                token.sleepUntil(steady_clock::now() + std::chrono::microseconds(20 * i));
            });
        threads.emplace_back([&] { source.cancel(); });
        other.cancel();
        for (auto& thread : threads) thread.join();
    }
}

TEST(Cancel, ADescriptorTellsAlsoOfWhatWasCancelledBefore) {
    const auto readable = [](int fd) {
        pollfd p{fd, POLLIN, 0};
        return ::poll(&p, 1, 0) == 1;
    };
    CancelSource source(CancelReason::Draining);
    const CancelDescriptor early(source);
    EXPECT_FALSE(readable(early.fd()));
    source.cancel();
    EXPECT_TRUE(readable(early.fd()));
    EXPECT_TRUE(readable(CancelDescriptor(source).fd()));
}

}  // namespace
}  // namespace stepper
