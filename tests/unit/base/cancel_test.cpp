#include "core/base/cancel.h"

#include <thread>

#include <gtest/gtest.h>
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

TEST(Cancel, AClientThatHangsUpIsNoticedAndOneThatTalksIsNot) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CancelToken token;
    token.watchClient(ends[0]);
    EXPECT_EQ(token.check(), CancelReason::None);
    ::close(ends[1]);
    EXPECT_EQ(token.sleepUntil(steady_clock::now() + 30s), CancelReason::ClientGone);
    ::close(ends[0]);

    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CancelToken talked_to;
    talked_to.watchClient(ends[0]);
    ASSERT_EQ(::write(ends[1], "G", 1), 1);
    EXPECT_EQ(talked_to.sleepUntil(steady_clock::now() + 5ms), CancelReason::None);
    EXPECT_EQ(talked_to.descriptors().count, 0u);
    ::close(ends[0]);
    ::close(ends[1]);
}

}  // namespace
}  // namespace stepper
