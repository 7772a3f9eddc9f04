#include "tests/unit/store/sqlite_support.h"

#include <fstream>

#include <stdlib.h>

namespace stepper::store::sqlite {

SqliteTest::SqliteTest() {
    std::string pattern = testing::TempDir() + "sqlite-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no folder " << pattern;
    folder_ = pattern;
    path_ = (folder_ / "store.db").string();
    options_.durability = Durability::Normal;
    options_.crashes.failed_meta = "crashed";
    tuning_.retry_pause = milliseconds{0};
}

SqliteTest::~SqliteTest() {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

Result<std::unique_ptr<Store>> SqliteTest::tryOpen() {
    store_.reset();
    return sqlite::open(path_, options_, clock_, tuning_, &salvaged_);
}

void SqliteTest::open() {
    auto opened = tryOpen();
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store_ = std::move(opened).value();
}

std::string SqliteTest::refusal() {
    const auto opened = tryOpen();
    if (opened.ok()) return "it was opened";
    EXPECT_EQ(opened.error().error_class, ErrorClass::Config);
    EXPECT_NE(opened.error().message.find(std::filesystem::path(path_).parent_path()), std::string::npos)
        << opened.error().message;
    return opened.error().message;
}

void SqliteTest::script(const std::string& sql) {
    Db db(path_, Access::Write, 5'000);
    db.script(sql);
    EXPECT_FALSE(db.failed()) << db.failure()->message;
}

std::string SqliteTest::scalar(const std::string& sql) {
    Db db(path_, Access::Write, 5'000);
    auto value = db.scalar(sql);
    EXPECT_FALSE(db.failed()) << db.failure()->message;
    return value.value_or("no row");
}

void SqliteTest::overwrite(const std::string& file, std::streamoff offset, const std::string& bytes) {
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(offset);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    EXPECT_TRUE(out.good()) << file;
}

void SqliteTest::enqueue(const std::string& id) {
    const auto enqueued = store_->enqueue(plainJob(id));
    ASSERT_TRUE(enqueued.ok()) << enqueued.error().message;
    EXPECT_EQ(enqueued->how, Enqueued::How::Created);
}

bool SqliteTest::finish(const Lease& lease, const std::string& result) {
    Ending ending;
    ending.result = result;
    const auto finished = store_->finish(lease, ending);
    EXPECT_TRUE(finished.ok()) << finished.error().message;
    return finished.ok() && *finished;
}

Lease SqliteTest::claimOne(Lane lane) {
    const auto claims = store_->claim(lane, 1, milliseconds{60'000});
    EXPECT_TRUE(claims.ok());
    if (!claims.ok() || claims->jobs.empty()) return {};
    return claims->jobs[0].lease;
}

std::optional<Job> SqliteTest::find(const std::string& id) {
    const auto found = store_->job(id);
    EXPECT_TRUE(found.ok()) << found.error().message;
    return found.ok() ? *found : std::nullopt;
}

}  // namespace stepper::store::sqlite
