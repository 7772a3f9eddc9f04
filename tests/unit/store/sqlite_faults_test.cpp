// Disks, locks and files that fail while the store is in use.
#include <atomic>
#include <cstring>
#include <fstream>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "core/store/sqlite/location.h"
#include "core/store/sqlite/writer.h"
#include "tests/unit/scarce_memory.h"
#include "tests/unit/store/sqlite_support.h"

namespace stepper::store::sqlite {
namespace {

using testing::HasSubstr;

// Files as always, except that syncing or writing fails while asked to.
namespace failing {

std::atomic<int> sync_with = SQLITE_OK, write_with = SQLITE_OK;
sqlite3_vfs vfs;
const sqlite3_io_methods* real = nullptr;

int sync(sqlite3_file* file, int flags) {
    return sync_with != SQLITE_OK ? sync_with.load() : real->xSync(file, flags);
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
    return write_with != SQLITE_OK ? write_with.load() : real->xWrite(file, bytes, count, offset);
}

int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out) {
    sqlite3_vfs* base = sqlite3_vfs_find("unix");
    const int rc = base->xOpen(base, path, file, flags, out);
    if (rc != SQLITE_OK) return rc;
    // Databases and logs differ in how they lock, not in how they write.
    static std::mutex mutex;
    static std::map<const sqlite3_io_methods*, sqlite3_io_methods> variants;
    std::lock_guard lock(mutex);
    if (!real) real = file->pMethods;
    auto& variant = variants.try_emplace(file->pMethods, *file->pMethods).first->second;
    variant.xSync = sync;
    variant.xWrite = write;
    file->pMethods = &variant;
    return rc;
}

}  // namespace failing

class SqliteFaults : public SqliteTest {
protected:
    static void SetUpTestSuite() {
        failing::vfs = *sqlite3_vfs_find("unix");
        failing::vfs.zName = "failing";
        failing::vfs.xOpen = failing::open;
        ASSERT_EQ(sqlite3_vfs_register(&failing::vfs, 1), SQLITE_OK);
    }
    static void TearDownTestSuite() { sqlite3_vfs_unregister(&failing::vfs); }
    ~SqliteFaults() override { failing::sync_with = failing::write_with = SQLITE_OK; }

    Error failToEnqueue(const std::string& id) {
        const auto enqueued = store_->enqueue(plainJob(id));
        EXPECT_FALSE(enqueued.ok());
        return enqueued.ok() ? Error{} : enqueued.error();
    }
    Health::Status status() { return store_->health().status; }
};

TEST_F(SqliteFaults, AFullDiskDegradesUntilThereIsRoom) {
    open();
    enqueue("a");
    failing::write_with = SQLITE_FULL;
    const Error error = failToEnqueue("b");
    EXPECT_EQ(error.error_class, ErrorClass::Overloaded);
    EXPECT_TRUE(error.retry_after);
    EXPECT_THAT(error.message, HasSubstr("Free space"));
    EXPECT_EQ(status(), Health::Status::Degraded);
    EXPECT_THAT(store_->health().reason, HasSubstr(path_));
    EXPECT_TRUE(find("a"));
    EXPECT_FALSE(find("b"));

    failing::write_with = SQLITE_OK;
    enqueue("b");
    EXPECT_EQ(status(), Health::Status::Ok);
    EXPECT_TRUE(find("b"));
}

TEST_F(SqliteFaults, WhileDegradedWritesAreRefusedWithoutATry) {
    tuning_.retry_pause = std::chrono::hours{1};
    open();
    failing::write_with = SQLITE_FULL;
    failToEnqueue("a");
    failing::write_with = SQLITE_OK;
    EXPECT_EQ(failToEnqueue("a").retry_after, milliseconds{std::chrono::hours{1}});
}

TEST_F(SqliteFaults, AfterAFailedSyncTheConnectionIsOpenedAnew) {
    options_.durability = Durability::Full;
    open();
    enqueue("a");
    failing::sync_with = SQLITE_IOERR_FSYNC;
    EXPECT_THAT(failToEnqueue("b").message, HasSubstr("outcome is unknown"));
    EXPECT_EQ(status(), Health::Status::Degraded);
    failing::sync_with = SQLITE_OK;
    enqueue("c");
    EXPECT_EQ(status(), Health::Status::Ok);
    EXPECT_TRUE(store_->enqueue(plainJob("b")).ok());
    close();
    open();
    for (const char* id : {"a", "b", "c"}) EXPECT_TRUE(find(id)) << id;
}

TEST_F(SqliteFaults, OnlyPromisesWaitForTheDisk) {
    options_.durability = Durability::Full;
    open();
    enqueue("a");
    enqueue("b");
    failing::sync_with = SQLITE_IOERR_FSYNC;
    const Lease lease = claimOne();
    EXPECT_EQ(lease.id, "a");
    const Beat beat{lease, 10};
    EXPECT_TRUE(store_->heartbeat({&beat, 1}, milliseconds{1'000}).ok());
    EXPECT_TRUE(store_->postpone(lease, {}).ok());
    EXPECT_TRUE(store_->putNotes(std::vector<Note>{{"a", "1"}}).ok());
    EXPECT_FALSE(store_->finish(claimOne(), {}).ok());
}

TEST_F(SqliteFaults, AForeignLockIsWaitedForOnlySoLong) {
    tuning_.busy_timeout = milliseconds{20};
    open();
    enqueue("a");
    Db other(path_, Access::Write, 1'000);
    other.script("BEGIN IMMEDIATE");
    ASSERT_FALSE(other.failed());
    EXPECT_THAT(failToEnqueue("b").message, HasSubstr("locked"));
    EXPECT_EQ(status(), Health::Status::Degraded);
    EXPECT_TRUE(find("a"));
    other.script("COMMIT");
    enqueue("b");
    EXPECT_EQ(status(), Health::Status::Ok);
}

// A claim that the disk holds up commits all the same, with nobody there to run what it took. Were that found
// out only when the lease runs out, five such moments would fail a job that never ran.
TEST_F(SqliteFaults, WhatWasClaimedForNobodyIsGivenBack) {
    open();
    NewJob overdue = plainJob("a");
    overdue.time_limit = milliseconds{1};
    ASSERT_TRUE(store_->enqueue(overdue).ok());
    clock_.advance(std::chrono::seconds{1});
    const auto default_deadline = std::exchange(tuning_.call_deadline, milliseconds{100});
    close();
    open();
    const std::function<bool()> claims[] = {
        [this] { return store_->claim(Lane::Live, 1, kLease).ok(); },
        [this] { return store_->claimOverdue(1, kLease, std::chrono::hours{1}).ok(); },
    };
    Db other(path_, Access::Write, 1'000);
    for (const auto& claim : claims) {
        other.script("BEGIN IMMEDIATE");
        ASSERT_FALSE(other.failed());
        EXPECT_FALSE(claim());
        other.script("COMMIT");
        // Comes behind it, however long that takes.
        const SteadyTime give_up = std::chrono::steady_clock::now() + 20s;
        while (!store_->putNotes(std::vector<Note>{{"a", "1"}}).ok())
            ASSERT_LT(std::chrono::steady_clock::now(), give_up);
        EXPECT_EQ(find("a")->state, JobState::Ready);
        EXPECT_EQ(find("a")->crashes, 0);
        EXPECT_GT(find("a")->fence, 0);
    }
    tuning_.call_deadline = default_deadline;
    close();
    open();
    EXPECT_EQ(find("a")->crashes, 0);
    EXPECT_EQ(claimOne().id, "a");
}

TEST_F(SqliteFaults, ARemovedFileIsNotWrittenToAnyMore) {
    open();
    enqueue("a");
    std::filesystem::remove(path_);
    EXPECT_EQ(status(), Health::Status::Failed);
    EXPECT_THAT(store_->health().reason, HasSubstr("removed or replaced"));
    EXPECT_EQ(failToEnqueue("b").error_class, ErrorClass::Internal);
    EXPECT_TRUE(find("a"));
}

// A folder that may not be entered for a while says nothing of what is in it.
TEST_F(SqliteFaults, FilesThatCannotBeLookedAtAreNotTakenForLost) {
    open();
    enqueue("a");
    std::filesystem::permissions(folder_, std::filesystem::perms::none);
    std::thread([this] {
        // Of this thread only; root may look at everything.
        constexpr uid_t kNobody = 65'534;
        if (::geteuid() == 0) ::setfsuid(kNobody);
        EXPECT_FALSE(look(path_));
        EXPECT_EQ(status(), Health::Status::Ok);
    }).join();
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
    enqueue("b");
    EXPECT_EQ(status(), Health::Status::Ok);
}

TEST_F(SqliteFaults, AReplacedFileIsNotTouched) {
    open();
    enqueue("a");
    std::filesystem::rename(path_, path_ + ".old");
    std::ofstream(path_) << "somebody else's";
    failToEnqueue("b");
    EXPECT_EQ(status(), Health::Status::Failed);
    close();
    EXPECT_EQ(std::filesystem::file_size(path_), std::strlen("somebody else's"));
}

// What is on the disk at this moment without the log: all that a kill would leave.
class SqliteLosses : public SqliteFaults {
protected:
    void SetUp() override {
        open();
        for (const char* id : {"a", "b", "c"}) enqueue(id);
    }
    std::string copied() {
        std::filesystem::copy(path_, folder_ / "copy.db", std::filesystem::copy_options::overwrite_existing);
        Db copy((folder_ / "copy.db").string(), Access::Write, 1'000);
        return copy.scalar("SELECT group_concat(id, '') FROM job").value_or("");
    }
    void takeAway(const std::string& file, bool replaced) {
        std::filesystem::rename(file, file + ".old");
        if (replaced) std::filesystem::copy(file + ".old", file);
    }
};

TEST_F(SqliteLosses, ALogThatIsGoneIsNoticedAndWhatItHeldIsKept) {
    for (const char* suffix : {"-wal", "-shm"}) {
        for (const bool replaced : {false, true}) {
            SCOPED_TRACE(std::string(suffix) + (replaced ? " replaced" : " removed"));
            takeAway(path_ + suffix, replaced);
            EXPECT_THAT(failToEnqueue("d").message, HasSubstr(path_ + suffix + " was removed or replaced"));
            EXPECT_EQ(status(), Health::Status::Failed);
            EXPECT_EQ(copied(), "abc");
            EXPECT_TRUE(find("a"));
            close();
            for (const char* left : {"-wal", "-wal.old", "-shm", "-shm.old"})
                std::filesystem::remove(path_ + left);
            open();
            EXPECT_EQ(status(), Health::Status::Ok);
            EXPECT_TRUE(find("c"));
            const Lease lease = claimOne();
            EXPECT_TRUE(store_->postpone(lease, {}).ok());
        }
    }
}

TEST_F(SqliteLosses, WhatALostLogHeldIsKeptWhileNothingIsWritten) {
    takeAway(path_ + "-wal", false);
    const SteadyTime give_up = std::chrono::steady_clock::now() + 20s;
    while (copied() != "abc") ASSERT_LT(std::chrono::steady_clock::now(), give_up);
    EXPECT_EQ(status(), Health::Status::Failed);
}

TEST_F(SqliteLosses, CutFilesAreNotWrittenToAnyMore) {
    std::filesystem::resize_file(path_ + "-wal", std::filesystem::file_size(path_ + "-wal") - 1);
    EXPECT_THAT(failToEnqueue("d").message, HasSubstr("1 bytes at the end of " + path_ + "-wal are gone"));
    EXPECT_EQ(status(), Health::Status::Failed);

    std::filesystem::remove(path_ + "-wal");
    open();
    std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 4'096);
    EXPECT_THAT(failToEnqueue("d").message, HasSubstr("4096 bytes at the end of " + path_ + " are gone"));
    EXPECT_THAT(store_->health().reason, HasSubstr("--recover"));
}

TEST_F(SqliteFaults, DamageFoundAtWorkEndsWriting) {
    open();
    for (int i = 0; i < 100; ++i) enqueue("job" + std::to_string(i));
    close();
    const auto page =
        std::stoll(scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_cache_1'"));
    tuning_.check_limit = milliseconds{0};
    open();
    // Nobody has read that page yet.
    overwrite(path_, (page - 1) * 4'096, std::string(4'096, '\xee'));
    EXPECT_FALSE(store_->cached("key").ok());
    EXPECT_EQ(status(), Health::Status::Failed);
    EXPECT_THAT(failToEnqueue("b").message, HasSubstr("--recover"));
}

class SqliteWriter : public SqliteFaults {
protected:
    void SetUp() override {
        ASSERT_TRUE(createFile(path_).ok());
        Found found = openDatabase(path_, tuning_);
        ASSERT_TRUE(found.db) << found.error.message;
        found.db->script("CREATE TABLE t(a UNIQUE)");
        condition_ = std::make_unique<Condition>(locateAll(path_), tuning_.retry_pause);
        writer_ = std::make_unique<Writer>(std::move(found.db), path_, Durability::Normal, tuning_, clock_,
                                           time_, *condition_);
    }
    void reopen() {
        writer_.reset();
        auto db = openForWriting(path_, tuning_);
        condition_ = std::make_unique<Condition>(locateAll(path_), tuning_.retry_pause);
        writer_ = std::make_unique<Writer>(std::move(db), path_, Durability::Normal, tuning_, clock_, time_,
                                           *condition_);
    }
    Result<int64_t> insert(int value) {
        return writer_->run(Promise::Given, [value](Transaction& tx) {
            return tx.db.run("INSERT INTO t VALUES(?1)", value);
        });
    }

    StoreTime time_{clock_, ""};
    std::unique_ptr<Condition> condition_;
    std::unique_ptr<Writer> writer_;
};

TEST_F(SqliteWriter, WhatIsOwedIsTriedUntilItIsDone) {
    tuning_.call_deadline = milliseconds{20};
    tuning_.retry_pause = milliseconds{1};
    reopen();
    // So that statements are prepared, and no memory is refused before it is committed.
    for (int i = 0; !insert(i).ok(); --i) {
    }
    std::promise<void> may_go_on;
    auto gone_on = may_go_on.get_future().share();
    std::atomic<int> tries = 0;
    const auto late = writer_->run(
        Promise::None,
        [gone_on](Transaction& tx) {
            gone_on.wait();
            const auto changes = tx.db.run("INSERT INTO t VALUES(1)");
            test::refuseAllocation(1);
            return changes;
        },
        [&tries](Transaction& tx, int64_t) {
            failing::write_with = ++tries < 3 ? SQLITE_FULL : SQLITE_OK;
            tx.db.run("DELETE FROM t WHERE a = 1");
        });
    EXPECT_THAT(late.error().message, HasSubstr("outcome is unknown"));
    may_go_on.set_value();
    const SteadyTime give_up = std::chrono::steady_clock::now() + 20s;
    for (int i = 2; tries < 3 && std::chrono::steady_clock::now() < give_up; ++i) (void)insert(i);
    EXPECT_EQ(tries, 3);
    writer_.reset();
    EXPECT_EQ(scalar("SELECT count(*) FROM t WHERE a = 1"), "0");
}

TEST_F(SqliteWriter, WhatIsCommittedIntoALogThatIsGoneIsNoPromise) {
    const auto committed = writer_->run(Promise::Given, [this](Transaction& tx) {
        std::filesystem::remove(path_ + "-wal");
        return tx.db.run("INSERT INTO t VALUES(1)");
    });
    ASSERT_FALSE(committed.ok());
    EXPECT_THAT(committed.error().message, HasSubstr("outcome is unknown"));
    EXPECT_EQ(condition_->health().status, Health::Status::Failed);
}

TEST_F(SqliteWriter, ABadOperationHurtsOnlyItself) {
    ASSERT_TRUE(insert(-1).ok());
    constexpr int kThreads = 16, kEach = 50;
    std::atomic<int> good = 0, bad = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < kEach; ++i) {
                const bool is_bad = i % 5 == 0;
                const auto done = insert(is_bad ? -1 : t * kEach + i);
                (done.ok() ? good : bad) += 1;
                EXPECT_EQ(done.ok(), !is_bad);
                if (done.ok()) continue;
                EXPECT_THAT(done.error().message, HasSubstr("Nothing was written"));
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(good, kThreads * kEach * 4 / 5);
    EXPECT_EQ(bad, kThreads * kEach / 5);
    EXPECT_EQ(scalar("SELECT count(*) FROM t"), std::to_string(good + 1));
    EXPECT_EQ(condition_->health().status, Health::Status::Ok);
}

// What was committed and is told to have failed is done twice.
TEST_F(SqliteWriter, BehindACommitNoMemoryIsNeededToTellOfIt) {
    struct Told final : Listener {
        void jobChanged(const std::string&) override { throw std::bad_alloc(); }
        void leaseRevoked(const std::string&) override {}
        void workAvailable(Lane) override { ++lanes; }
        void answerChanged(const std::string&) override {}
        std::atomic<int> lanes = 0;
    } told;
    writer_->setListener(&told);
    ASSERT_TRUE(insert(1).ok());
    const auto committed = writer_->run(Promise::Given, [](Transaction& tx) {
        tx.effects.changed.emplace_back("a");
        tx.effects.lanes.insert(Lane::Live);
        const auto changes = tx.db.run("INSERT INTO t VALUES(?1)", 2);
        test::refuseAllocation(1);
        return changes;
    });
    EXPECT_TRUE(committed.ok());
    EXPECT_EQ(scalar("SELECT count(*) FROM t"), "2");
    writer_.reset();
    EXPECT_EQ(told.lanes, 1);
}

TEST_F(SqliteWriter, WithoutMemoryAGroupIsNeitherWrittenNorInTheWayOfTheNext) {
    tuning_.retry_pause = milliseconds{1};
    reopen();
    const auto refused = writer_->run(Promise::Given, [](Transaction& tx) -> int64_t {
        tx.db.run("INSERT INTO t VALUES(1)");
        throw std::bad_alloc();
    });
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().message, "out of memory");
    ASSERT_TRUE(insert(2).ok());
    EXPECT_EQ(scalar("SELECT group_concat(a) FROM t"), "2");
}

class SqliteDeadline : public SqliteWriter {
protected:
    void SetUp() override {
        tuning_.call_deadline = milliseconds{50};
        SqliteWriter::SetUp();
    }
};

TEST_F(SqliteDeadline, WhatHasNotBegunIsWithdrawn) {
    std::atomic<bool> entered = false, let_go = false;
    std::thread holder([&] {
        const auto held = writer_->run(Promise::None, [&](Transaction&) {
            entered = true;
            entered.notify_one();
            let_go.wait(false);
            return 0;
        });
        ASSERT_FALSE(held.ok());
        EXPECT_THAT(held.error().message, HasSubstr("outcome is unknown"));
    });
    entered.wait(false);
    const auto late = insert(1);
    ASSERT_FALSE(late.ok());
    EXPECT_THAT(late.error().message, HasSubstr("nothing was written"));
    holder.join();
    let_go = true;
    let_go.notify_one();
    // The next one waits until the writer is free again, and is all there is.
    writer_.reset();
    EXPECT_EQ(scalar("SELECT count(*) FROM t"), "0");
}

class SqliteQueue : public SqliteWriter {
protected:
    void SetUp() override {
        tuning_.most_waiting = 0;
        SqliteWriter::SetUp();
    }
};

TEST_F(SqliteQueue, WhatIsTooMuchIsRefusedAtOnce) {
    const auto refused = insert(1);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().error_class, ErrorClass::Overloaded);
    EXPECT_EQ(refused.error().retry_after, milliseconds{1'000});
}

}  // namespace
}  // namespace stepper::store::sqlite
