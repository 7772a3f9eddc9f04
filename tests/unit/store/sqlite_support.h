// A folder of its own for each test of the SQLite store, and what is needed to break things in it.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "core/store/sqlite/store.h"
#include "core/store/store.h"
#include "tests/unit/store/support.h"

namespace stepper::store::sqlite {

class SqliteTest : public testing::Test {
protected:
    SqliteTest();
    ~SqliteTest() override;

    Result<std::unique_ptr<Store>> tryOpen();
    // Opens it, or fails the test.
    void open();
    void close() { store_.reset(); }
    // What opening says, which must be a Config error.
    std::string refusal();

    // As another program would.
    void script(const std::string& sql);
    std::string scalar(const std::string& sql);
    // Writes `bytes` over the file at `offset`.
    void overwrite(const std::string& file, std::streamoff offset, const std::string& bytes);

    void enqueue(const std::string& id);
    bool finish(const Lease& lease, const std::string& result = "result");
    Lease claimOne(Lane lane = Lane::Live);
    std::optional<Job> find(const std::string& id);

    std::filesystem::path folder_;
    std::string path_;
    ManualClock clock_;
    OpenOptions options_;
    Tuning tuning_;
    std::optional<Salvaged> salvaged_;
    std::unique_ptr<Store> store_;
};

}  // namespace stepper::store::sqlite
