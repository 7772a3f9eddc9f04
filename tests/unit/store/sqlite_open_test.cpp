// Which files are opened, and what is said about the others.
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/store/sqlite/location.h"
#include "core/store/sqlite/schema.h"
#include "tests/unit/store/sqlite_support.h"

namespace stepper::store::sqlite {
namespace {

using testing::HasSubstr;

class SqliteOpen : public SqliteTest {
protected:
    unsigned modeOf(const std::filesystem::path& file) {
        struct stat s {};
        EXPECT_EQ(::stat(file.c_str(), &s), 0) << file;
        return s.st_mode & 0777;
    }
    // A store with enough in it to fill some pages.
    void fill(int jobs) {
        open();
        for (int i = 0; i < jobs; ++i) {
            NewJob j = plainJob("job" + std::to_string(i));
            j.request = std::string(1'000, 'x');
            ASSERT_TRUE(store_->enqueue(j).ok());
        }
        close();
    }
};

TEST_F(SqliteOpen, FoldersAndFilesAreForTheOwnerOnly) {
    path_ = (folder_ / "some" / "where" / "store.db").string();
    open();
    enqueue("a");
    EXPECT_EQ(modeOf(folder_ / "some"), 0700u);
    EXPECT_EQ(modeOf(folder_ / "some" / "where"), 0700u);
    for (const char* suffix : {"", "-wal", "-shm", ".lock"}) EXPECT_EQ(modeOf(path_ + suffix), 0600u);
}

TEST_F(SqliteOpen, WhatWasStoredIsThereAfterAnOrderlyEndAndNoLogIsLeft) {
    open();
    enqueue("a");
    close();
    EXPECT_FALSE(std::filesystem::exists(path_ + "-wal"));
    open();
    ASSERT_TRUE(find("a"));
    EXPECT_EQ(store_->request("a")->value().request, "request of a");
}

TEST_F(SqliteOpen, AnIdleStoreEmptiesItsLog) {
    tuning_.idle_after = milliseconds{1};
    open();
    enqueue("a");
    const SteadyTime deadline = std::chrono::steady_clock::now() + 10s;
    while (std::filesystem::file_size(path_ + "-wal") > 0 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::yield();
    EXPECT_EQ(std::filesystem::file_size(path_ + "-wal"), 0u);
    EXPECT_TRUE(find("a"));
}

TEST_F(SqliteOpen, AUrlNamesTheKindOfStore) {
    options_.url = "sqlite:" + path_;
    EXPECT_TRUE(store::open(options_, clock_).ok());
    options_.url = "memory:";
    EXPECT_TRUE(store::open(options_, clock_).ok());
    for (const char* url : {"", "sqlite:", "redis://localhost", "/some/path"}) {
        options_.url = url;
        const auto opened = store::open(options_, clock_);
        ASSERT_FALSE(opened.ok()) << url;
        EXPECT_EQ(opened.error().error_class, ErrorClass::Config);
        EXPECT_THAT(opened.error().message, HasSubstr("store.url"));
    }
}

TEST_F(SqliteOpen, ASecondOwnerIsTurnedAway) {
    open();
    const auto second = sqlite::open(path_, options_, clock_, tuning_);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().error_class, ErrorClass::Config);
    EXPECT_THAT(second.error().message, HasSubstr("in use by process " + std::to_string(::getpid())));
    close();
    open();
}

TEST_F(SqliteOpen, ASecondOwnerIsTurnedAwayWhateverNameItUses) {
    open();
    const auto other = folder_ / "other", link = folder_ / "link.db", dangling = folder_ / "dangling.db";
    std::filesystem::create_directory(other);
    std::filesystem::create_symlink("store.db", link);
    std::filesystem::create_symlink(link, dangling);
    std::filesystem::create_hard_link(path_, other / "hard.db");
    for (const auto& [name, why] : {std::pair{link, "in use by process"},
                                    {dangling, "in use by process"},
                                    {folder_ / "other" / ".." / "store.db", "in use by process"},
                                    {other / "hard.db", "another name"}}) {
        const auto second = sqlite::open(name.string(), options_, clock_, tuning_);
        ASSERT_FALSE(second.ok()) << name;
        EXPECT_EQ(second.error().error_class, ErrorClass::Config);
        EXPECT_THAT(second.error().message, HasSubstr(why));
    }
    EXPECT_FALSE(std::filesystem::exists(other / "hard.db-wal"));
}

TEST_F(SqliteOpen, AHardLinkIsNotOpenedUnlessItIsTheNameThatWasUsed) {
    open();
    enqueue("a");
    close();
    const std::string used = std::exchange(path_, (folder_ / "hard.db").string());
    std::filesystem::create_hard_link(used, path_);
    EXPECT_THAT(refusal(), HasSubstr("2 names"));
    path_ = used;
    open();
    EXPECT_TRUE(find("a"));
}

TEST_F(SqliteOpen, BehindALinkTheFilesLieTogether) {
    const std::string real = path_;
    path_ = (folder_ / "link.db").string();
    std::filesystem::create_symlink("store.db", path_);
    open();
    enqueue("a");
    EXPECT_EQ(store_->health().status, Health::Status::Ok);
    for (const char* suffix : {"", "-wal", ".lock"}) EXPECT_TRUE(std::filesystem::exists(real + suffix));
}

TEST_F(SqliteOpen, NetworkFileSystemsAreKnown) {
    for (const long magic :
         {0x6969L, 0xFF534D42L, 0xFE534D42L, 0x517BL, 0x5346414FL, 0x00C36400L, 0x01021997L})
        EXPECT_TRUE(isNetworkFileSystem(magic)) << std::hex << magic;
    for (const long magic : {0xEF53L, 0x58465342L, 0x9123683EL, 0x01021994L, 0x794C7630L})
        EXPECT_FALSE(isNetworkFileSystem(magic)) << std::hex << magic;
}

TEST_F(SqliteOpen, AFolderThatCannotBeWrittenToIsNamed) {
    if (::getuid() == 0) {
        path_ = "/proc/stepper/store.db";
    } else {
        ASSERT_EQ(::chmod(folder_.c_str(), 0500), 0);
    }
    EXPECT_THAT(refusal(), HasSubstr("memory:"));
    ASSERT_EQ(::chmod(folder_.c_str(), 0700), 0);
}

TEST_F(SqliteOpen, AFileInPlaceOfTheFolderIsNamed) {
    std::ofstream(folder_ / "file") << "x";
    path_ = (folder_ / "file" / "store.db").string();
    EXPECT_THAT(refusal(), HasSubstr("Not a directory"));
}

// It has no time of its own yet: what it holds was written by a wall clock, which may have been ahead.
TEST_F(SqliteOpen, JobsOfAnOlderStoreKeepTheirDelays) {
    open();
    for (const char* id : {"right", "ahead"}) {
        enqueue(id);
        EXPECT_TRUE(*store_->postpone(claimOne(), {std::chrono::hours{1}, false, {}}));
    }
    close();
    script("DELETE FROM note");
    script(
        "UPDATE job SET created_at = created_at + 7200000, updated_at = updated_at + 7200000, "
        "run_at = run_at + 7200000 WHERE id = 'ahead'");
    open();
    const WallTime due = clock_.wall() + std::chrono::hours{1};
    for (const char* id : {"right", "ahead"}) EXPECT_EQ(find(id)->run_at, due);
    EXPECT_EQ(find("ahead")->updated, clock_.wall());
}

TEST_F(SqliteOpen, ANewerLayoutIsRefusedAndLeftAlone) {
    open();
    enqueue("a");
    close();
    const std::string ours = std::to_string(currentLayout());
    for (const int64_t ahead : {1, 5}) {
        const std::string newer = std::to_string(currentLayout() + ahead);
        script("PRAGMA user_version = " + newer);
        EXPECT_THAT(refusal(),
                    HasSubstr("newer Stepper (layout " + newer + ", this one knows " + ours + ")"));
        EXPECT_EQ(scalar("PRAGMA user_version"), newer);
    }
    script("PRAGMA user_version = " + ours);
    open();
    EXPECT_TRUE(find("a"));
}

TEST_F(SqliteOpen, ADatabaseOfAnotherProgramIsRefused) {
    std::ofstream(path_).close();
    script("CREATE TABLE theirs(a); PRAGMA application_id = 77");
    EXPECT_THAT(refusal(), HasSubstr("another program"));
    EXPECT_EQ(scalar("SELECT count(*) FROM sqlite_schema"), "1");
    script("PRAGMA application_id = 0");
    EXPECT_THAT(refusal(), HasSubstr("another program"));
}

TEST_F(SqliteOpen, WhatIsNoDatabaseIsRefused) {
    std::ofstream(path_) << std::string(10'000, 'x');
    EXPECT_THAT(refusal(), HasSubstr("not a database"));
    EXPECT_THAT(refusal(), HasSubstr("stepper serve --recover"));
    EXPECT_EQ(std::filesystem::file_size(path_), 10'000u);
}

TEST_F(SqliteOpen, ACorruptPageIsFoundAfterAnOrderlyEnd) {
    fill(200);
    overwrite(path_, 20 * 4'096, std::string(4'096, '\xff'));
    EXPECT_THAT(refusal(), HasSubstr("damaged"));
    EXPECT_THAT(refusal(), HasSubstr("stepper serve --recover"));
}

TEST_F(SqliteOpen, ATruncatedFileIsRefused) {
    fill(200);
    std::filesystem::resize_file(path_, std::filesystem::file_size(path_) / 2);
    EXPECT_THAT(refusal(), HasSubstr("damaged"));
}

// A process killed at any moment leaves its log; what it had not finished writing there does not count.
class SqliteLog : public SqliteOpen {
protected:
    void SetUp() override {
        open();
        enqueue("a");
        enqueue("b");
        std::filesystem::copy(path_, folder_ / "copy.db");
        std::filesystem::copy(path_ + "-wal", folder_ / "copy.db-wal");
        close();
        path_ = (folder_ / "copy.db").string();
    }
    std::string log() const { return path_ + "-wal"; }
};

TEST_F(SqliteLog, ItIsReadAfterACrash) {
    open();
    EXPECT_TRUE(find("a"));
    EXPECT_TRUE(find("b"));
}

TEST_F(SqliteLog, ATornTailIsIgnored) {
    std::filesystem::resize_file(log(), std::filesystem::file_size(log()) - 100);
    open();
    EXPECT_TRUE(find("a"));
    EXPECT_FALSE(find("b"));
    enqueue("b");
}

TEST_F(SqliteLog, GarbageAtTheEndIsIgnored) {
    std::ofstream(log(), std::ios::app | std::ios::binary) << std::string(9'000, '\x5a');
    open();
    EXPECT_TRUE(find("a"));
    EXPECT_TRUE(find("b"));
}

class SqliteMigration : public SqliteTest {
protected:
    static constexpr const char* kTwoSteps[] = {"CREATE TABLE t(a); INSERT INTO t VALUES(1)",
                                                "ALTER TABLE t ADD COLUMN b DEFAULT 2"};
    static constexpr const char* kBadStep[] = {kTwoSteps[0], "ALTER TABLE t ADD COLUMN b; SELECT nonsense"};

    SqliteMigration() { EXPECT_TRUE(createFile(path_).ok()); }
    std::string backup() const { return path_ + ".layout-1"; }
};

TEST_F(SqliteMigration, ANewFileTakesEveryStepAndNeedsNoBackup) {
    Db db(path_, Access::Write, 1'000);
    migrate(db, path_, 0, kTwoSteps);
    ASSERT_FALSE(db.failed()) << db.failure()->message;
    EXPECT_EQ(db.scalar("SELECT a || b FROM t"), "12");
    EXPECT_EQ(db.scalar("PRAGMA user_version"), "2");
    EXPECT_FALSE(std::filesystem::exists(backup()));
}

TEST_F(SqliteMigration, AnOlderOneIsCopiedFirst) {
    Db db(path_, Access::Write, 1'000);
    migrate(db, path_, 0, std::span(kTwoSteps).first(1));
    migrate(db, path_, 1, kTwoSteps);
    ASSERT_FALSE(db.failed()) << db.failure()->message;
    EXPECT_EQ(db.scalar("SELECT a || b FROM t"), "12");
    Db old(backup(), Access::Write, 1'000);
    EXPECT_EQ(old.scalar("PRAGMA user_version"), "1");
    EXPECT_EQ(old.scalar("SELECT a FROM t"), "1");
}

TEST_F(SqliteMigration, AStepThatFailsLeavesTheLayoutAsItWas) {
    {
        Db db(path_, Access::Write, 1'000);
        migrate(db, path_, 0, std::span(kTwoSteps).first(1));
        migrate(db, path_, 1, kBadStep);
        EXPECT_TRUE(db.failed());
    }
    EXPECT_EQ(scalar("PRAGMA user_version"), "1");
    EXPECT_EQ(scalar("SELECT count(*) FROM pragma_table_info('t')"), "1");
}

}  // namespace
}  // namespace stepper::store::sqlite
