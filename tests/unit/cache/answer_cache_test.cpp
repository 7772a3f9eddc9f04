#include "core/cache/answer_cache.h"

#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/cache/answer_store.h"

namespace stepper::cache {
namespace {

using namespace std::chrono_literals;

struct AnswerCacheTest : testing::Test {
    std::string found(bool once = false) { return found(cache, once); }
    static std::string found(AnswerCache& in, bool once = false) {
        const auto hit = in.find("k", once);
        if (!hit) return "error";
        return *hit ? (*hit)->answer->result : "none";
    }
    AnswerCache with(void (*change)(Options&)) {
        Options options;
        change(options);
        return {store, clock, options};
    }

    ManualClock clock;
    AnswerStore store{clock};
    AnswerCache cache{store, clock, {}};
};

TEST_F(AnswerCacheTest, FreshStaleExpired) {
    store.keep("k", answerOf("a", clock));
    const auto expectHit = [&](bool stale, milliseconds age) {
        for (const bool once : {false, true}) {
            const auto hit = cache.find("k", once);
            ASSERT_TRUE(hit.ok() && hit->has_value());
            EXPECT_EQ((*hit)->answer->job_id, "job-a");
            EXPECT_EQ((*hit)->stale, stale);
            EXPECT_EQ((*hit)->age, age);
        }
    };
    expectHit(false, 0ms);
    clock.advance(1min);
    expectHit(false, 60'000ms);
    clock.advance(1ms);
    expectHit(true, 60'001ms);
    clock.advance(1min - 2ms);
    expectHit(true, 119'999ms);
    clock.advance(1ms);
    EXPECT_EQ(found(), "none");
    EXPECT_EQ(found(true), "none");
}

TEST_F(AnswerCacheTest, NoAnswer) { EXPECT_EQ(found(), "none"); }

TEST_F(AnswerCacheTest, StaleAnswersOnlyWhenWanted) {
    AnswerCache strict = with([](Options& o) { o.serve_stale = false; });
    store.keep("k", answerOf("a", clock));
    clock.advance(1min);
    EXPECT_EQ(found(strict), "a");
    clock.advance(1ms);
    EXPECT_EQ(found(strict), "none");
    EXPECT_EQ(found(cache), "a");
}

TEST_F(AnswerCacheTest, IsReadFromMemoryUntilItIsTooOld) {
    store.keep("k", answerOf("a", clock));
    EXPECT_EQ(found(), "a");
    store.keep("k", answerOf("b", clock));
    clock.advance(5s);
    EXPECT_EQ(found(), "a");
    EXPECT_EQ(store.reads, 1);
    clock.advance(1ms);
    EXPECT_EQ(found(), "b");
    EXPECT_EQ(found(), "b");
    EXPECT_EQ(store.reads, 2);
}

TEST_F(AnswerCacheTest, AnExpiredAnswerInMemoryDoesNotHideANewOne) {
    auto answer = answerOf("a", clock);
    answer.expires = clock.now() + 1s;
    store.keep("k", answer);
    EXPECT_EQ(found(), "a");
    clock.advance(1s);
    EXPECT_EQ(found(), "none");
    store.keep("k", answerOf("b", clock));
    EXPECT_EQ(found(), "b");
}

TEST_F(AnswerCacheTest, OnceNeitherLeavesNorTakesAnythingInMemory) {
    store.keep("k", answerOf("a", clock));
    EXPECT_EQ(found(true), "a");
    EXPECT_EQ(found(true), "a");
    EXPECT_EQ(store.reads, 2);
    EXPECT_EQ(found(false), "a");
    EXPECT_EQ(store.reads, 3);
    store.keep("k", answerOf("b", clock));
    EXPECT_EQ(found(true), "b");
}

TEST_F(AnswerCacheTest, InvalidateMakesItReadAgain) {
    store.keep("k", answerOf("a", clock));
    EXPECT_EQ(found(), "a");
    store.keep("k", answerOf("b", clock));
    cache.invalidate("k");
    EXPECT_EQ(found(), "b");
}

TEST_F(AnswerCacheTest, AnAnswerThatChangesWhileItIsReadIsNotKept) {
    store.keep("k", answerOf("a", clock));
    store.after_read = [&] {
        store.after_read = nullptr;
        store.keep("k", answerOf("b", clock));
        cache.invalidate("k");
    };
    EXPECT_EQ(found(), "a");
    EXPECT_EQ(found(), "b");
}

TEST_F(AnswerCacheTest, ForgetReachesStoreAndMemory) {
    store.keep("k", answerOf("a", clock));
    EXPECT_EQ(found(), "a");
    EXPECT_FALSE(cache.forget("k", "job-other").value());
    EXPECT_EQ(found(), "a");
    EXPECT_TRUE(cache.forget("k", "job-a").value());
    EXPECT_EQ(found(), "none");
    EXPECT_FALSE(cache.forget("k", "").value());
}

TEST_F(AnswerCacheTest, ErrorsAreTheStores) {
    store.keep("k", answerOf("a", clock));
    EXPECT_EQ(found(), "a");
    store.failing = true;
    EXPECT_EQ(found(), "a");
    EXPECT_EQ(found(true), "error");
    EXPECT_FALSE(cache.forget("k", "").ok());
    // It is unknown what the store did, so memory no longer answers for it.
    EXPECT_EQ(found(), "error");
}

TEST_F(AnswerCacheTest, LargeAnswersStayInTheStore) {
    AnswerCache small = with([](Options& o) { o.max_entry_bytes = 1000; });
    store.keep("k", answerOf(std::string(1000, 'x'), clock));
    EXPECT_EQ(found(small).size(), 1000u);
    EXPECT_EQ(found(small).size(), 1000u);
    EXPECT_EQ(store.reads, 2);
    store.keep("k", answerOf("a", clock));
    EXPECT_EQ(found(small), "a");
    EXPECT_EQ(found(small), "a");
    EXPECT_EQ(store.reads, 3);
}

TEST_F(AnswerCacheTest, WorksWithoutMemory) {
    AnswerCache none = with([](Options& o) { o.memory_bytes = 0; });
    store.keep("k", answerOf("a", clock));
    EXPECT_EQ(found(none), "a");
    EXPECT_EQ(found(none), "a");
    EXPECT_EQ(store.reads, 2);
}

TEST_F(AnswerCacheTest, WhoeverReadsAfterAChangeSeesIt) {
    std::atomic<int> wrong = 0, written = 0;
    store.keep("k", answerOf("0", clock));
    std::vector<std::thread> readers;
    for (int i = 0; i < 4; ++i)
        readers.emplace_back([&] {
            while (written < 500) {
                const int before = written;
                if (std::stoi(found()) < before) ++wrong;
            }
        });
    for (int i = 1; i <= 500; ++i) {
        store.keep("k", answerOf(std::to_string(i), clock));
        cache.invalidate("k");
        written = i;
        std::this_thread::yield();
    }
    for (auto& t : readers) t.join();
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace stepper::cache
