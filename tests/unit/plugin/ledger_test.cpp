// What is remembered of plugins, also when the process dies or its file is damaged.
#include "core/plugin/library/ledger.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace stepper::plugin {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LedgerTest : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "stepper-ledger-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { fs::remove_all(folder_); }

    Ledger open() {
        auto ledger = Ledger::open(folder_ / "state");
        EXPECT_TRUE(ledger) << ledger.error().message;
        return std::move(ledger).value();
    }
    fs::path folder_;
};

TEST_F(LedgerTest, RemembersFilesAndQuarantine) {
    {
        Ledger ledger = open();
        EXPECT_TRUE(ledger.isNew());
        ASSERT_TRUE(ledger.note("a.so", {"sha-2", "sha-1", false, 0}));
        ASSERT_TRUE(ledger.note("b.so", {"sha-9", "", false, 0}));
        ASSERT_TRUE(ledger.forget("b.so"));
        ASSERT_TRUE(ledger.quarantine("sha-3", "it broke"));
    }
    Ledger ledger = open();
    EXPECT_FALSE(ledger.isNew());
    EXPECT_THAT(ledger.findings(), IsEmpty());
    ASSERT_NE(ledger.find("a.so"), nullptr);
    EXPECT_EQ(ledger.find("a.so")->sha256, "sha-2");
    EXPECT_EQ(ledger.find("a.so")->previous, "sha-1");
    EXPECT_EQ(ledger.find("b.so"), nullptr);
    EXPECT_EQ(ledger.quarantined("sha-3"), "it broke");
    EXPECT_EQ(ledger.quarantined("sha-2"), std::nullopt);
    EXPECT_TRUE(*ledger.release("sha-3"));
    EXPECT_FALSE(*ledger.release("sha-3"));
}

TEST_F(LedgerTest, NoFolderIsNotTheWorkingOne) {
    EXPECT_FALSE(Ledger::open({}));
    EXPECT_FALSE(fs::exists("lock"));
}

TEST_F(LedgerTest, WhatWasOnProbationWhenTheProcessDiedInACallOfItIsQuarantined) {
    {
        Ledger ledger = open();
        ASSERT_TRUE(ledger.note("a.so", {"new", "old", true, 0}));
        ++ledger.runningCalls("new")->others;
    }
    for (int start = 1; start <= 2; ++start) {
        Ledger ledger = open();
        EXPECT_EQ(ledger.findings().size(), start == 1 ? 1u : 0u);
        EXPECT_THAT(*ledger.quarantined("new"), HasSubstr("died"));
        EXPECT_EQ(ledger.find("a.so")->sha256, "old");
        EXPECT_FALSE(ledger.find("a.so")->probation);
    }
}

TEST_F(LedgerTest, WithoutAPreviousVersionTheSecondDeathCondemns) {
    {
        Ledger ledger = open();
        ASSERT_TRUE(ledger.note("a.so", {"first", "", true, 0}));
        ++ledger.runningCalls("first")->others;
    }
    {
        Ledger ledger = open();
        ++ledger.runningCalls("first")->others;
        EXPECT_THAT(ledger.findings(), ElementsAre(HasSubstr("tried once more")));
        EXPECT_EQ(ledger.quarantined("first"), std::nullopt);
        EXPECT_TRUE(ledger.find("a.so")->probation);
    }
    Ledger ledger = open();
    EXPECT_TRUE(ledger.quarantined("first"));
    EXPECT_EQ(ledger.find("a.so"), nullptr);
}

TEST_F(LedgerTest, ADeathCondemnsNobodyWhoseCallsHadEnded) {
    {
        Ledger ledger = open();
        ASSERT_TRUE(ledger.note("a.so", {"new", "old", true, 0}));
        ASSERT_TRUE(ledger.note("b.so", {"sound", "before", false, 0}));
        ++ledger.runningCalls("new")->others;
        --ledger.runningCalls("new")->others;
        for (const char* sound : {"sound", "before", "old"}) ++ledger.runningCalls(sound)->others;
    }
    Ledger ledger = open();
    EXPECT_THAT(ledger.findings(), IsEmpty());
    EXPECT_TRUE(ledger.find("a.so")->probation);
    for (const char* each : {"new", "old", "sound", "before"})
        EXPECT_EQ(ledger.quarantined(each), std::nullopt);
}

TEST_F(LedgerTest, AnOrderlyEndCondemnsNobody) {
    {
        Ledger ledger = open();
        ASSERT_TRUE(ledger.note("a.so", {"new", "old", true, 0}));
        ASSERT_TRUE(ledger.close());
    }
    Ledger ledger = open();
    EXPECT_EQ(ledger.find("a.so")->sha256, "new");
    EXPECT_EQ(ledger.quarantined("new"), std::nullopt);
}

TEST_F(LedgerTest, BelongsToOneProcessAndToNobodyElse) {
    Ledger ledger = open();
    const auto second = Ledger::open(folder_ / "state");
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr("another process uses this folder"));
    struct stat info {};
    ASSERT_EQ(::stat((folder_ / "state").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(LedgerTest, ADamagedFileIsSetAside) {
    { ASSERT_TRUE(open().note("a.so", {"sha", "", false, 0})); }
    std::ofstream(folder_ / "state" / "plugins.json") << "{\"files\":";
    Ledger ledger = open();
    EXPECT_THAT(ledger.findings(), ElementsAre(HasSubstr("is damaged and was set aside")));
    EXPECT_TRUE(ledger.isNew());
    EXPECT_TRUE(fs::exists(folder_ / "state" / "plugins.json.damaged"));
}

TEST_F(LedgerTest, AFolderThatCannotBeIsAnError) {
    std::ofstream(folder_ / "file") << "not a folder";
    EXPECT_FALSE(Ledger::open(folder_ / "file" / "state"));
}

TEST_F(LedgerTest, OfNoFolderItRemembersUntilItEnds) {
    Ledger none;
    EXPECT_TRUE(none.note("a.so", {"sha", "", true, 0}));
    EXPECT_EQ(none.find("a.so")->sha256, "sha");
    EXPECT_TRUE(none.quarantine("other", "why"));
    EXPECT_EQ(none.quarantined("other"), "why");
    EXPECT_TRUE(none.close());
    EXPECT_FALSE(none.find("a.so")->probation);
}

}  // namespace
}  // namespace stepper::plugin
