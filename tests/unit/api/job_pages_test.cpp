// Pages that many ask for at a time.
#include "core/api/job_pages.h"

#include <atomic>
#include <barrier>
#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/store/unavailable_store.h"

namespace stepper::api {
namespace {

constexpr size_t kLarge = 1u << 20;

store::Job done(std::string id, int64_t version = 3) {
    store::Job job;
    job.id = std::move(id);
    job.version = version;
    job.kind = "generate";
    job.state = store::JobState::Done;
    job.result = '"' + std::string(kLarge, 'x') + '"';
    return job;
}

// Counts how often a page is made, and may fail.
class Counting final : public store::UnavailableStore {
public:
    Result<std::optional<store::NewJob>> request(std::string_view) override {
        ++made;
        while (pages_held_back && made > 0) std::this_thread::yield();
        if (fails) return unavailable();
        return std::optional<store::NewJob>{};
    }
    std::atomic<int> made{0};
    std::atomic<bool> fails{false}, pages_held_back{false};
};

struct Stage {
    explicit Stage(uint64_t most = 64 * kLarge) : budget(std::make_shared<http::ByteBudget>(most)) {}
    ManualClock clock;
    Counting store;
    std::shared_ptr<http::ByteBudget> budget;
    JobPages pages{store, clock, budget};
};

TEST(JobPages, AnEndedJobsIsMadeAndHeldOnceForAllWhoAskAtATime) {
    Stage s;
    s.store.pages_held_back = true;
    constexpr int kMany = 8;
    std::vector<JobPages::Page> got(kMany);
    std::barrier all(kMany + 1);
    std::vector<std::thread> askers;
    for (auto& page : got)
        askers.emplace_back([&] {
            all.arrive_and_wait();
            page = s.pages.of(done("a")).value();
        });
    all.arrive_and_wait();
    s.store.pages_held_back = false;
    for (auto& t : askers) t.join();
    for (const auto& page : got) EXPECT_EQ(page.get(), got[0].get());
    EXPECT_EQ(s.store.made, 1);
    EXPECT_GT(s.budget->used(), kLarge / 2);
    EXPECT_LT(s.budget->used(), 2 * kLarge);
    got.clear();
    EXPECT_EQ(s.budget->used(), 0u);
}

TEST(JobPages, AreMadeAnewForAnotherVersionAndAfterTheLastUserLeft) {
    Stage s;
    const auto first = s.pages.of(done("a", 3)).value();
    auto second = s.pages.of(done("a", 4)).value();
    EXPECT_NE(first.get(), second.get());
    EXPECT_EQ(s.store.made, 2);
    second.reset();
    EXPECT_TRUE(s.pages.of(done("a", 4)).value());
    EXPECT_EQ(s.store.made, 3);
}

// What is still running, or carries a remark on this request alone, is nobody else's.
TEST(JobPages, OnesOfTheirOwnAreNotShared) {
    Stage s;
    auto running = done("a");
    running.state = store::JobState::Leased;
    EXPECT_NE(s.pages.of(running).value().get(), s.pages.of(running).value().get());
    const auto remarked = s.pages.of(done("b"), {"a word on the request"}).value();
    EXPECT_NE(remarked->find("a word on the request"), std::string::npos);
    EXPECT_EQ(s.pages.of(done("b")).value()->find("a word on the request"), std::string::npos);
}

TEST(JobPages, NoRoomIsSaidAndPasses) {
    Stage s(kLarge + kLarge / 2);
    auto first = s.pages.of(done("a")).value();
    ASSERT_TRUE(first);
    EXPECT_FALSE(s.pages.of(done("b")).value());
    EXPECT_EQ(s.pages.of(done("a")).value().get(), first.get()) << "held already";
    first.reset();
    EXPECT_TRUE(s.pages.of(done("b")).value());
}

TEST(JobPages, AFailureIsNotKept) {
    Stage s;
    s.store.fails = true;
    EXPECT_FALSE(s.pages.of(done("a")).ok());
    s.store.fails = false;
    EXPECT_TRUE(s.pages.of(done("a")).value());
}

TEST(JobPages, ManyThatPassedLeaveNothingBehind) {
    Stage s;
    for (int i = 0; i < 1000; ++i) {
        auto job = done(std::to_string(i));
        job.result = "1";
        ASSERT_TRUE(s.pages.of(job).value());
    }
    EXPECT_EQ(s.budget->used(), 0u);
    EXPECT_LT(s.pages.known(), 200u);
}

}  // namespace
}  // namespace stepper::api
