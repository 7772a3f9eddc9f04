#include <thread>

#include <gtest/gtest.h>

#include "core/cache/answer_cache.h"
#include "tests/unit/cache/answer_store.h"

namespace stepper::cache {
namespace {

using namespace std::chrono_literals;

struct RefreshTest : testing::Test {
    Hit staleHit() const {
        return {std::make_shared<const store::CachedAnswer>(answerOf("a", clock)), true, 61s};
    }

    ManualClock clock;
    AnswerStore store{clock};
    AnswerCache cache{store, clock, {}};
    Hit hit = staleHit();
};

TEST_F(RefreshTest, OncePerKeyAndTenSeconds) {
    EXPECT_TRUE(cache.mayRefresh("k", hit));
    EXPECT_FALSE(cache.mayRefresh("k", hit));
    EXPECT_TRUE(cache.mayRefresh("other", hit));
    clock.advance(9'999ms);
    EXPECT_FALSE(cache.mayRefresh("k", hit));
    clock.advance(1ms);
    EXPECT_TRUE(cache.mayRefresh("k", hit));
    EXPECT_FALSE(cache.mayRefresh("k", hit));
}

TEST_F(RefreshTest, NotForFreshAnswers) {
    hit.stale = false;
    EXPECT_FALSE(cache.mayRefresh("k", hit));
}

TEST_F(RefreshTest, NotBeforeTheAnswerSaysSo) {
    auto answer = answerOf("a", clock);
    answer.refresh_after = clock.now() + 30s;
    store.keep("k", answer);
    clock.advance(20s);
    hit = {std::make_shared<const store::CachedAnswer>(answer), true, 61s};
    EXPECT_FALSE(cache.mayRefresh("k", hit));
    clock.advance(10s - 1ms);
    EXPECT_FALSE(cache.mayRefresh("k", hit));
    // Being refused is not being first.
    clock.advance(1ms);
    EXPECT_TRUE(cache.mayRefresh("k", hit));
}

TEST_F(RefreshTest, AChangedAnswerMayBeRefreshedAgain) {
    EXPECT_TRUE(cache.mayRefresh("k", hit));
    clock.advance(5s);
    cache.invalidate("k");
    EXPECT_TRUE(cache.mayRefresh("k", hit));
    // The end of the first note must not end the second.
    clock.advance(5s);
    EXPECT_FALSE(cache.mayRefresh("k", hit));
    clock.advance(5s);
    EXPECT_TRUE(cache.mayRefresh("k", hit));
}

TEST_F(RefreshTest, TheTableIsBoundedAndRecovers) {
    int allowed = 0;
    for (int i = 0; i < 10'000; ++i) allowed += cache.mayRefresh(std::to_string(i), hit);
    EXPECT_EQ(allowed, 4096);
    EXPECT_FALSE(cache.mayRefresh("0", hit));
    clock.advance(10s);
    EXPECT_TRUE(cache.mayRefresh("9999", hit));
}

TEST_F(RefreshTest, AStormFromManyThreadsAsksOnce) {
    std::atomic<int> allowed = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 2'000; ++i) allowed += cache.mayRefresh(std::to_string(i % 20), hit);
        });
    for (auto& t : threads) t.join();
    EXPECT_EQ(allowed, 20);
}

}  // namespace
}  // namespace stepper::cache
