// What the library makes of a folder that changes; whole servers are tried in tests/reload.
#include "core/plugin/library/library.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/plugin/abi/session.h"

namespace stepper::plugin {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using State = Listing::State;

class LibraryTest : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "stepper-library-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        fs::create_directory(folder_ / "plugins");
        wanted_.dir = folder_ / "plugins";
        wanted_.configs["variant"] = {R"({"base_url":"http://127.0.0.1:9"})"};
        open();
    }
    void TearDown() override {
        library_.reset();
        fs::remove_all(folder_);
    }

    void open() {
        library_.reset();
        LoadOptions options;
        options.probe_program = probe_program_;
        options.probe_timeout = std::chrono::seconds{10};
        auto ledger = Ledger::open(folder_ / "state");
        ASSERT_TRUE(ledger) << ledger.error().message;
        library_ = std::make_unique<Library>(std::move(ledger).value(), options, [this] { ++attention_; });
        generation_ = 0;
    }
    void put(const std::string& name, const std::string& as = "variant.so") {
        fs::copy_file(fs::path(VARIANTS) / ("variant-" + name + ".so"), wanted_.dir / as,
                      fs::copy_options::overwrite_existing);
    }
    // Looks and puts in force; the version of the kind "variant", "" when there is none.
    std::string update() {
        current_ = library_->look(wanted_, Pace::Immediate).catalog;
        library_->adopt(current_, ++generation_);
        const auto it = current_.by_kind.find("variant");
        return it == current_.by_kind.end() ? "" : it->second->version();
    }
    std::vector<Listing> in(State state) const {
        auto all = library_->list();
        std::erase_if(all, [state](const auto& l) { return l.state != state; });
        return all;
    }
    // A call of what is in force begins, and never ends.
    void call() { current_.by_kind.at("variant")->conduct().callBegins(); }
    void behave(bool well, int calls) {
        for (int i = 0; i < calls; ++i)
            current_.by_kind.at("variant")->conduct().callEnded(
                well ? std::nullopt : std::optional<std::string>("it lost a byte"));
    }

    fs::path folder_;
    fs::path probe_program_ = STEPPER_PROGRAM;
    Wanted wanted_;
    Catalog current_;
    uint64_t generation_ = 0;
    int attention_ = 0;
    SteadyTime now_ = std::chrono::steady_clock::now();
    std::unique_ptr<Library> library_;
};

TEST_F(LibraryTest, NothingIsTakenWithoutAdopting) {
    put("a");
    EXPECT_EQ(library_->look(wanted_, Pace::Immediate).catalog.by_kind.size(), 1u);
    EXPECT_THAT(library_->list(), IsEmpty());
    EXPECT_EQ(update(), "1.0.0");
    EXPECT_THAT(in(State::Live), SizeIs(1));
}

TEST_F(LibraryTest, AYoungFileIsLookedAtAgain) {
    put("a");
    const auto first = library_->look(wanted_, Pace::Careful);
    EXPECT_TRUE(first.unsettled);
    EXPECT_TRUE(first.catalog.by_kind.empty());
}

TEST_F(LibraryTest, ReplacedRetiredAndTakenAgainWithoutANewImage) {
    put("a");
    update();
    const auto image = current_.by_kind.at("variant");
    put("b");
    EXPECT_EQ(update(), "2.0.0");
    EXPECT_THAT(in(State::Probation), SizeIs(1));
    ASSERT_THAT(in(State::Retired), SizeIs(1));
    EXPECT_EQ(in(State::Retired)[0].version, "1.0.0");
    put("a");
    EXPECT_EQ(update(), "1.0.0");
    EXPECT_EQ(current_.by_kind.at("variant"), image);
    EXPECT_THAT(in(State::Live), SizeIs(1)) << "what was sound once needs no second probation";
}

TEST_F(LibraryTest, ARefusedFileLeavesThePreviousInForce) {
    put("a");
    update();
    put("AbortsInStep");
    EXPECT_EQ(update(), "1.0.0");
    ASSERT_THAT(in(State::Rejected), SizeIs(1));
    EXPECT_THAT(in(State::Rejected)[0].reason, HasSubstr("crashed while being probed"));
    fs::remove(wanted_.dir / "variant.so");
    EXPECT_EQ(update(), "1.0.0") << "it is wanted, so it stays";
    EXPECT_THAT(in(State::Live)[0].reason, HasSubstr("its file is gone"));
    wanted_.configs.clear();
    EXPECT_EQ(update(), "") << "nobody wants it any more";
    EXPECT_THAT(in(State::Live), IsEmpty());
}

TEST_F(LibraryTest, ProbationDecides) {
    put("a");
    update();
    put("b");
    update();
    behave(true, kProbationCalls);
    EXPECT_EQ(attention_, 1);
    EXPECT_FALSE(library_->settle(now_));
    EXPECT_THAT(in(State::Live), SizeIs(1));
    EXPECT_EQ(in(State::Live)[0].version, "2.0.0");
}

TEST_F(LibraryTest, WhatFailsProbationIsTakenBackForGood) {
    put("a");
    update();
    put("b");
    update();
    behave(false, kProbationFaults);
    EXPECT_EQ(attention_, 1);
    EXPECT_TRUE(library_->settle(now_));
    EXPECT_EQ(update(), "1.0.0");
    ASSERT_THAT(in(State::Quarantined), SizeIs(1));
    const std::string sha = in(State::Quarantined)[0].sha256;
    open();
    EXPECT_EQ(update(), "1.0.0") << "from the private copy: the file holds what is quarantined";
    EXPECT_TRUE(library_->release(sha));
    EXPECT_FALSE(library_->release(sha));
    EXPECT_EQ(update(), "2.0.0");
    EXPECT_THAT(in(State::Probation), SizeIs(1));
}

TEST_F(LibraryTest, WithoutAPredecessorTheKindIsGone) {
    put("a", "other.so");
    wanted_.configs["echo-c"] = {};
    fs::copy_file(fs::path(PLUGINS) / "echo-c.so", wanted_.dir / "echo-c.so");
    fs::remove(wanted_.dir / "other.so");
    update();
    put("b");
    EXPECT_EQ(update(), "2.0.0");
    behave(false, kProbationFaults);
    EXPECT_TRUE(library_->settle(now_));
    EXPECT_EQ(update(), "");
    EXPECT_EQ(current_.by_kind.count("echo-c"), 1u);
}

TEST_F(LibraryTest, AStepThatNeverEndsCostsThePluginItsPlace) {
    using std::chrono::seconds;
    put("a");
    update();
    put("b");
    update();
    behave(true, kProbationCalls);
    EXPECT_FALSE(library_->settle(now_));
    Conduct& conduct = current_.by_kind.at("variant")->conduct();
    const size_t slot = conduct.stepBegins(now_);
    EXPECT_FALSE(library_->settle(now_ + seconds{4}));
    EXPECT_FALSE(library_->settle(now_ + seconds{6})) << "noticed";
    EXPECT_FALSE(library_->settle(now_ + seconds{10}));
    conduct.stepEnded(slot);
    EXPECT_FALSE(library_->settle(now_ + seconds{20})) << "it had only been stopped";
    conduct.stepBegins(now_ + seconds{20});
    EXPECT_FALSE(library_->settle(now_ + seconds{26}));
    EXPECT_TRUE(library_->settle(now_ + seconds{32}));
    EXPECT_EQ(update(), "1.0.0");
    EXPECT_THAT(in(State::Quarantined)[0].reason, HasSubstr("hangs"));
    EXPECT_FALSE(library_->settle(now_ + seconds{60}));
}

TEST_F(LibraryTest, AHangingPluginWithoutAPredecessorStays) {
    using std::chrono::seconds;
    put("a");
    update();
    current_.by_kind.at("variant")->conduct().stepBegins(now_);
    for (int s = 0; s < 60; s += 6) EXPECT_FALSE(library_->settle(now_ + seconds{s}));
    EXPECT_EQ(update(), "1.0.0");
}

TEST_F(LibraryTest, DyingOnProbationMeansThePreviousVersion) {
    put("a");
    update();
    put("b");
    update();
    call();
    open();  // no close(): as if the process had died
    EXPECT_EQ(update(), "1.0.0");
    EXPECT_THAT(in(State::Quarantined)[0].reason, HasSubstr("died"));
}

TEST_F(LibraryTest, ADeathWhileNoCallRanLeavesItOnProbation) {
    put("a");
    update();
    put("b");
    update();
    for (int death = 0; death < 3; ++death) {
        open();
        EXPECT_EQ(update(), "2.0.0");
        EXPECT_THAT(in(State::Probation), SizeIs(1));
        EXPECT_THAT(in(State::Quarantined), IsEmpty());
    }
    behave(false, kProbationFaults);
    EXPECT_TRUE(library_->settle(now_));
    EXPECT_EQ(update(), "1.0.0") << "what it would have been replaced with is still known";
}

TEST_F(LibraryTest, WhatDiedWhileItStartedIsNotTakenAgain) {
    put("a");
    update();
    put("b");
    current_ = library_->look(wanted_, Pace::Immediate).catalog;
    call();  // create() takes the process with it, before anything is in force
    open();
    EXPECT_EQ(update(), "1.0.0");
    EXPECT_THAT(in(State::Quarantined)[0].reason, HasSubstr("died while this version was started"));
}

TEST_F(LibraryTest, WhatIsAccusedIsTakenBackAlthoughItWasSound) {
    put("a");
    update();
    put("b");
    update();
    behave(true, kProbationCalls);
    EXPECT_FALSE(library_->settle(now_));
    attention_ = 0;
    current_.by_kind.at("variant")->conduct().accuse(
        "it changed the process it runs in: the umask was 2 and is 0");
    EXPECT_EQ(attention_, 1);
    EXPECT_TRUE(library_->settle(now_));
    EXPECT_EQ(update(), "1.0.0");
    EXPECT_THAT(in(State::Quarantined)[0].reason, HasSubstr("the umask was 2 and is 0"));
}

TEST_F(LibraryTest, AFolderThatCannotBeListedIsNotAnEmptyOne) {
    put("a");
    update();
    fs::permissions(wanted_.dir, fs::perms::owner_write | fs::perms::others_write);
    const auto seen = library_->look(wanted_, Pace::Immediate);
    fs::permissions(wanted_.dir, fs::perms::owner_all);
    ASSERT_TRUE(seen.problem.has_value());
    EXPECT_THAT(*seen.problem, HasSubstr("plugins folder"));
    EXPECT_EQ(seen.catalog.by_kind.count("variant"), 1u);
    EXPECT_THAT(in(State::Live)[0].reason, IsEmpty()) << "nobody knows whether its file is gone";
    fs::remove_all(wanted_.dir);
    EXPECT_FALSE(library_->look(wanted_, Pace::Immediate).problem.has_value()) << "it may be made later";
}

TEST_F(LibraryTest, ANewKindIsCondemnedByTheSecondDeath) {
    wanted_.configs["echo-c"] = {};
    fs::copy_file(fs::path(PLUGINS) / "echo-c.so", wanted_.dir / "echo-c.so");
    update();  // the first start trusts what it finds
    put("a");
    EXPECT_EQ(update(), "1.0.0");
    call();
    open();
    EXPECT_EQ(update(), "1.0.0");
    EXPECT_THAT(in(State::Probation), SizeIs(1));
    call();
    open();
    EXPECT_EQ(update(), "");
    EXPECT_THAT(in(State::Quarantined), SizeIs(1));
    EXPECT_EQ(current_.by_kind.count("echo-c"), 1u);
}

TEST_F(LibraryTest, AnOrderlyEndOnProbationIsNoFault) {
    put("a");
    update();
    put("b");
    update();
    library_->close();
    open();
    EXPECT_EQ(update(), "2.0.0");
    EXPECT_THAT(in(State::Live), SizeIs(1));
}

TEST_F(LibraryTest, TheFirstStartTrustsWhatItFindsAndLaterOnesDoNot) {
    put("a");
    update();
    EXPECT_THAT(in(State::Live), SizeIs(1));
    library_->close();
    put("b");
    open();
    EXPECT_EQ(update(), "2.0.0");
    EXPECT_THAT(in(State::Probation), SizeIs(1)) << "replaced while nobody ran";
}

TEST_F(LibraryTest, WhatWasReplacedWhileNobodyRanIsWhatItGoesBackTo) {
    put("a");
    update();
    library_->close();
    put("b");
    open();
    EXPECT_EQ(update(), "2.0.0");
    behave(false, kProbationFaults);
    EXPECT_TRUE(library_->settle(now_));
    EXPECT_EQ(update(), "1.0.0");
}

TEST_F(LibraryTest, WhatWasReplacedWhileNobodyRanAndKillsTheProcess) {
    put("a");
    update();
    library_->close();
    put("b");
    open();
    EXPECT_EQ(update(), "2.0.0");
    call();
    open();  // it died
    EXPECT_EQ(update(), "1.0.0");
}

TEST_F(LibraryTest, AnotherFileTakingOverLeavesNoProbationBehind) {
    put("a", "x.so");
    update();
    put("b", "x.so");
    update();
    EXPECT_THAT(in(State::Probation), SizeIs(1));
    put("a", "y.so");
    fs::remove(wanted_.dir / "x.so");
    EXPECT_EQ(update(), "1.0.0");
    open();
    EXPECT_EQ(update(), "1.0.0");
    EXPECT_THAT(in(State::Quarantined), IsEmpty());
}

TEST_F(LibraryTest, AHashThatIsAskedForLaterEndsWhatItDoesNotName) {
    put("a");
    update();
    wanted_.sha256["variant"] = {std::string(64, '0')};
    EXPECT_EQ(update(), "");
    ASSERT_THAT(in(State::Rejected), SizeIs(1));
    EXPECT_THAT(in(State::Rejected)[0].reason, HasSubstr("does not name"));
    wanted_.sha256.clear();
    EXPECT_EQ(update(), "1.0.0");
}

TEST_F(LibraryTest, ARefusedImageIsOfferedAgainWhenTheDemandChanges) {
    put("a");
    update();
    put("b");
    const auto seen = library_->look(wanted_, Pace::Immediate).catalog;
    library_->refuse(*seen.by_kind.at("variant"), "it does not take the configuration",
                     Library::Until::Change);
    EXPECT_EQ(library_->look(wanted_, Pace::Careful).catalog.by_kind.at("variant")->version(), "1.0.0");
    EXPECT_THAT(in(State::Rejected)[0].reason, HasSubstr("does not take"));
    wanted_.configs["variant"].push_back(R"({"base_url":"http://127.0.0.1:10"})");
    auto again = library_->look(wanted_, Pace::Careful);
    while (again.unsettled)
        again = library_->look(wanted_, Pace::Careful);  // until the file has come to rest
    EXPECT_EQ(again.catalog.by_kind.at("variant")->version(), "2.0.0");
}

TEST_F(LibraryTest, WhatFailedForNoFaultOfTheFileIsTriedAgain) {
    fs::remove(wanted_.dir / "variant.so");
    probe_program_ = folder_ / "stepper";
    open();
    put("a");
    const auto settled = [this] {
        auto seen = library_->look(wanted_, Pace::Careful);
        while (seen.unsettled) seen = library_->look(wanted_, Pace::Careful);
        return seen.catalog.by_kind.size();
    };
    EXPECT_EQ(settled(), 0u);
    EXPECT_THAT(in(State::Rejected)[0].reason, HasSubstr("cannot probe: cannot start a process"));
    fs::create_symlink(STEPPER_PROGRAM, probe_program_);
    EXPECT_EQ(settled(), 1u);
    EXPECT_THAT(in(State::Rejected), IsEmpty());
}

TEST_F(LibraryTest, WithoutADiskPluginsRunFromMemoryAndAreReplacedAsEver) {
    library_.reset();
    LoadOptions options;
    options.probe_program = STEPPER_PROGRAM;
    options.probe_timeout = std::chrono::seconds{10};
    library_ = std::make_unique<Library>(Ledger(), options, [] {});
    put("a");
    EXPECT_EQ(update(), "1.0.0");
    EXPECT_TRUE(current_.by_kind.at("variant")->copy().file().empty());
    ASSERT_TRUE(Provider::create(current_.by_kind.at("variant"), wanted_.configs["variant"][0]));
    put("b");
    EXPECT_EQ(update(), "2.0.0");
    ASSERT_TRUE(Provider::create(current_.by_kind.at("variant"), wanted_.configs["variant"][0]));
    EXPECT_EQ(current_.by_kind.at("variant")->version(), "2.0.0");
}

TEST_F(LibraryTest, PinsAreCheckedBeforeAnythingRuns) {
    put("AbortsInStep");
    wanted_.require_sha256 = true;
    update();
    EXPECT_THAT(in(State::Rejected)[0].reason, HasSubstr("no hash is configured"));
    wanted_.sha256["variant"] = {std::string(64, '0')};
    update();
    EXPECT_THAT(in(State::Rejected)[0].reason, HasSubstr("does not name"));
    wanted_.sha256["variant"].push_back(in(State::Rejected)[0].sha256);
    update();
    EXPECT_THAT(in(State::Rejected)[0].reason, HasSubstr("crashed"));
}

TEST_F(LibraryTest, OfTwoFilesOfAKindTheOneInForceStays) {
    put("a", "m.so");
    EXPECT_EQ(update(), "1.0.0");
    put("b", "a.so");
    EXPECT_EQ(update(), "1.0.0");
    ASSERT_THAT(in(State::Rejected), SizeIs(1));
    EXPECT_THAT(in(State::Rejected)[0].reason, HasSubstr("already provided by"));
    fs::remove(wanted_.dir / "m.so");
    EXPECT_EQ(update(), "2.0.0");
}

TEST_F(LibraryTest, OnlyWhatMayBeNeededIsKeptOnDisk) {
    put("a");
    update();
    const auto copies = [this] {
        return std::count_if(fs::directory_iterator(folder_ / "state"), {},
                             [](const auto& e) { return e.path().extension() == ".so"; });
    };
    EXPECT_EQ(copies(), 1);
    put("AbortsInStep");
    update();
    EXPECT_EQ(copies(), 1);
    put("b");
    update();
    EXPECT_EQ(copies(), 2) << "and the one it would go back to";
}

TEST_F(LibraryTest, UsersAreCountedByProvider) {
    put("a");
    update();
    auto provider = Provider::create(current_.by_kind.at("variant"), "{}");
    ASSERT_TRUE(provider);
    EXPECT_EQ(in(State::Live)[0].users, 1);
    *provider = nullptr;
    EXPECT_EQ(in(State::Live)[0].users, 0);
}

}  // namespace
}  // namespace stepper::plugin
