// What a crash or damage leaves, and what is made of it.
#include <gmock/gmock.h>

#include "tests/unit/store/sqlite_support.h"

namespace stepper::store::sqlite {
namespace {

using testing::HasSubstr;

class SqliteRecovery : public SqliteTest {
protected:
    // The number of the page that holds the first leaf of a table, from 1.
    int64_t leafOf(const std::string& table, int place) {
        return std::stoll(scalar("SELECT pageno FROM dbstat WHERE name = '" + table +
                                 "' AND pagetype = 'leaf' ORDER BY pageno LIMIT 1 OFFSET " +
                                 std::to_string(place)));
    }
    void corrupt(int64_t page) { overwrite(path_, (page - 1) * 4'096, std::string(4'096, '\xee')); }
    // As if the process had been killed: the lease stays in the file.
    void reopen() {
        close();
        open();
    }
};

TEST_F(SqliteRecovery, LeasesOfAnEarlierProcessAreVoidAtOnce) {
    open();
    enqueue("a");
    const Lease lease = claimOne();
    reopen();
    const auto a = find("a");
    ASSERT_TRUE(a);
    EXPECT_EQ(a->state, JobState::Ready);
    EXPECT_EQ(a->crashes, 1);
    EXPECT_GT(a->fence, lease.fence);
    EXPECT_FALSE(finish(lease));
    EXPECT_EQ(claimOne().id, "a");
}

TEST_F(SqliteRecovery, AJobThatKeepsKillingItsProcessIsSuspectedThenFailed) {
    open();
    enqueue("a");
    claimOne();
    reopen();
    claimOne();
    reopen();
    for (int crashes = 2; crashes < 5; ++crashes) {
        EXPECT_EQ(find("a")->lane, Lane::Suspect);
        EXPECT_EQ(claimOne(Lane::Suspect).id, "a");
        reopen();
    }
    EXPECT_EQ(find("a")->state, JobState::Failed);
    EXPECT_EQ(find("a")->meta, "crashed");
}

TEST_F(SqliteRecovery, AnItemOfABatchKeepsItsPlaceInTheCount) {
    open();
    ASSERT_TRUE(store_->enqueueBatch(newBatch("batch", 1, {plainItem("a"), plainItem("b")})).ok());
    claimOne(Lane::Batch);
    reopen();
    EXPECT_EQ(find("batch")->busy, 1);
    EXPECT_EQ(find("a")->state, JobState::Ready);
    EXPECT_EQ(find("b")->state, JobState::Held);
}

TEST_F(SqliteRecovery, WhatIsNoDatabaseIsPutAsideAndANewOneMade) {
    open();
    enqueue("a");
    close();
    overwrite(path_, 0, std::string(100, 'x'));
    refusal();
    options_.recover = true;
    open();
    ASSERT_TRUE(salvaged_);
    EXPECT_EQ(salvaged_->rows, 0);
    EXPECT_THAT(salvaged_->damaged_path, HasSubstr(".damaged-2026-01-01T"));
    EXPECT_TRUE(std::filesystem::exists(salvaged_->damaged_path));
    EXPECT_FALSE(find("a"));
    enqueue("a");
}

TEST_F(SqliteRecovery, ASoundDatabaseIsLeftAlone) {
    open();
    enqueue("a");
    close();
    options_.recover = true;
    open();
    EXPECT_FALSE(salvaged_);
    EXPECT_TRUE(find("a"));
}

TEST_F(SqliteRecovery, EverythingOutsideTheUnreadablePagesIsKept) {
    constexpr int kJobs = 1'000;
    open();
    for (int i = 0; i < kJobs; ++i) {
        NewJob j = keyedJob("job" + std::to_string(i), i % 2 ? "key" + std::to_string(i) : "");
        j.idempotency_key = "use" + std::to_string(i);
        ASSERT_TRUE(store_->enqueue(j).ok());
    }
    close();
    for (const int place : {3, 9, 10}) corrupt(leafOf("job", place));
    EXPECT_THAT(refusal(), HasSubstr("damaged"));
    options_.recover = true;
    open();
    ASSERT_TRUE(salvaged_);
    EXPECT_GE(salvaged_->gaps, 2);

    const auto left = store_->list({{}, kJobs});
    ASSERT_TRUE(left.ok());
    // A page holds some 60 jobs.
    EXPECT_GT(left->size(), 700u);
    EXPECT_LT(left->size(), 980u);
    EXPECT_TRUE(find("job0"));
    EXPECT_TRUE(find("job999"));
    for (const Job& j : *left) EXPECT_EQ(store_->request(j.id)->value().request, "request of " + j.id);
    EXPECT_EQ(store_->claim(Lane::Live, kJobs, milliseconds{1'000})->jobs.size(), left->size());
    close();
    EXPECT_EQ(scalar("PRAGMA integrity_check"), "ok");
    EXPECT_EQ(scalar("SELECT count(*) FROM pragma_foreign_key_check"), "0");
}

TEST_F(SqliteRecovery, NotesOutsideTheUnreadablePagesAreKept) {
    open();
    std::vector<Note> notes;
    for (int i = 0; i < 500; ++i) notes.push_back({"note" + std::to_string(i), std::string(50, 'x')});
    ASSERT_TRUE(store_->putNotes(notes).ok());
    close();
    corrupt(leafOf("note", 2));
    options_.recover = true;
    open();
    ASSERT_TRUE(salvaged_);
    const auto left = store_->notes("");
    ASSERT_TRUE(left.ok());
    EXPECT_GT(left->size(), 400u);
    EXPECT_LT(left->size(), 500u);
    EXPECT_EQ(store_->notes("note499")->size(), 1u);
    for (const Note& note : *left) EXPECT_EQ(note.text, std::string(50, 'x'));
    ASSERT_TRUE(store_->putNotes(notes).ok());
    EXPECT_EQ(store_->notes("")->size(), 500u);
}

TEST_F(SqliteRecovery, WhatIsScheduledStaysSo) {
    open();
    for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(store_->enqueue(plainJob("job" + std::to_string(i))).ok());
    NewBatch batch = newBatch("batch", 2, {plainItem("i"), plainItem("j")});
    NewJob job = plainJob("later");
    batch.start_in = job.start_in = std::chrono::hours{1};
    ASSERT_TRUE(store_->enqueueBatch(batch).ok());
    ASSERT_TRUE(store_->enqueue(job).ok());
    close();
    corrupt(leafOf("job", 3));
    options_.recover = true;
    open();
    ASSERT_TRUE(salvaged_);
    for (const auto* id : {"batch", "later"}) EXPECT_EQ(find(id)->state, JobState::Scheduled) << id;
    EXPECT_TRUE(store_->claim(Lane::Batch, 10, milliseconds{60'000})->jobs.empty());
    clock_.advance(std::chrono::hours{1});
    EXPECT_EQ(store_->claim(Lane::Batch, 10, milliseconds{60'000})->jobs.size(), 2u);
    EXPECT_EQ(find("later")->state, JobState::Scheduled);
    EXPECT_GT(store_->claim(Lane::Live, 1, milliseconds{60'000})->jobs.size(), 0u);
    EXPECT_EQ(find("later")->state, JobState::Ready);
}

TEST_F(SqliteRecovery, JobsWithoutTheirRequestFailAndBatchesStillEnd) {
    open();
    NewBatch batch = newBatch("batch", 2, {});
    for (int i = 0; i < 300; ++i) {
        batch.items.push_back(keyedItem("item" + std::to_string(i), i % 3 ? "" : "shared"));
        batch.items.back().request = std::string(1'000, 'x');
    }
    ASSERT_TRUE(store_->enqueueBatch(batch).ok());
    close();
    corrupt(leafOf("request", 0));
    corrupt(leafOf("job", 1));
    options_.recover = true;
    open();
    ASSERT_TRUE(salvaged_);
    for (;;) {
        const auto claims = store_->claim(Lane::Batch, 10, milliseconds{60'000});
        ASSERT_TRUE(claims.ok());
        if (claims->jobs.empty()) break;
        EXPECT_LE(claims->jobs.size(), 2u);
        for (const auto& j : claims->jobs) EXPECT_TRUE(finish(j.lease));
    }
    const auto ended = find("batch");
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->state, JobState::Done);
    EXPECT_EQ(ended->done + ended->failed, 300);
    EXPECT_GT(ended->failed, 0);
    EXPECT_GT(ended->done, 200);
    EXPECT_EQ(ended->busy, 0);
}

}  // namespace
}  // namespace stepper::store::sqlite
