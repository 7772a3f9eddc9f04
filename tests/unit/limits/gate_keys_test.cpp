// A gate whose provider has several keys.
#include <map>

#include <gtest/gtest.h>

#include "core/limits/gate.h"
#include "core/limits/heirs.h"

namespace stepper::limits {
namespace {

using namespace std::chrono_literals;
using Kind = Report::Kind;

class GateKeysTest : public testing::Test {
protected:
    static GateOptions options(std::vector<std::string> targets, int64_t per_minute = 10) {
        GateOptions out;
        out.concurrency = 100;
        out.limits.windows = {{per_minute, {}, 1min}};
        out.limits.skew = 0ms;
        out.targets = std::move(targets);
        return out;
    }
    Pass enter() {
        auto entry = gate_.tryEnter({});
        EXPECT_TRUE(entry.pass);
        return entry.pass.value_or(Pass{});
    }
    // One call with whichever key comes; that key's target.
    size_t call(Kind kind, std::optional<milliseconds> retry_after = {}) {
        auto pass = enter();
        gate_.sent(pass);
        news_ = gate_.leave(pass, {kind, retry_after});
        return pass.target;
    }
    std::optional<Denial> denied() { return gate_.look({}).denied; }

    ManualClock clock_;
    Gate gate_{clock_, options({"a", "b", "c"}), [] { return 0.5; }};
    Gate::News news_;
    const size_t a_ = targetId("a"), b_ = targetId("b"), c_ = targetId("c");
};

TEST_F(GateKeysTest, EachHasQuotasOfItsOwnAndWhoeverHasMostLeftIsNext) {
    std::map<size_t, int> used;
    for (int i = 0; i < 30; ++i, clock_.advance(1ms)) {
        ++used[call(Kind::Ok)];
        const auto [least, most] = std::minmax({used[a_], used[b_], used[c_]});
        EXPECT_LE(most - least, 1);
    }
    EXPECT_EQ(denied(), Denial::RateLimited);
    EXPECT_EQ(gate_.state().ready_in, 1min - 30ms);
    EXPECT_EQ(gate_.state().quotas.at(0).limit, 30);
    EXPECT_EQ(gate_.state().quotas.at(0).used, 30);
}

TEST_F(GateKeysTest, ALimitedOneIsLeftAloneAndTheOthersGoOn) {
    const size_t limited = call(Kind::RateLimited, 20s);
    for (int i = 0; i < 20; ++i, clock_.advance(1ms)) EXPECT_NE(call(Kind::Ok), limited);
    EXPECT_EQ(denied(), Denial::RateLimited);
    clock_.advance(20s);
    EXPECT_EQ(call(Kind::Ok), limited);
}

TEST_F(GateKeysTest, ARefusedOneIsSetAsideAloneAndIsNewsByItsNumber) {
    EXPECT_EQ(call(Kind::KeyRefused), a_);
    EXPECT_EQ(news_.set_aside, SetAside::KeyRefused);
    EXPECT_EQ(news_.key, 1u);
    EXPECT_FALSE(denied());
    EXPECT_FALSE(gate_.state().set_aside);
    EXPECT_EQ(gate_.state().keys.at(0).set_aside, SetAside::KeyRefused);
    EXPECT_EQ(gate_.state().keys.at(0).denied, Denial::Disabled);
    EXPECT_FALSE(gate_.state().keys.at(1).denied);
    EXPECT_EQ(gate_.state().quotas.at(0).limit, 20) << "of what can be used";
    call(Kind::KeyRefused);
    EXPECT_EQ(news_.key, 2u);
    call(Kind::KeyRefused);
    EXPECT_EQ(news_.key, 0u) << "the last one's refusal is the provider's";
    EXPECT_EQ(gate_.state().set_aside, SetAside::KeyRefused);
    EXPECT_TRUE(gate_.room(10).set_aside);
    EXPECT_EQ(denied(), Denial::Disabled);
    EXPECT_EQ(gate_.state().ready_in, 5min);
}

TEST_F(GateKeysTest, AMissingModelAndAnOutageAreTheProvidersWhateverTheKey) {
    call(Kind::ModelMissing);
    EXPECT_EQ(denied(), Denial::Disabled);
    EXPECT_EQ(gate_.state().set_aside, SetAside::ModelMissing);
    EXPECT_EQ(news_.key, 0u);
    clock_.advance(5min);
    call(Kind::Failed, 7s);
    EXPECT_EQ(denied(), Denial::CircuitOpen);
    EXPECT_EQ(gate_.state().ready_in, 7s);
}

TEST_F(GateKeysTest, RoomAndForecastAddUp) {
    call(Kind::RateLimited, 20s);
    EXPECT_EQ(gate_.room(100).now, 20);
    EXPECT_EQ(gate_.sendsWithin(0ms), 20);
    clock_.advance(1ms);
    call(Kind::Ok);
    EXPECT_EQ(gate_.sendsWithin(0ms), 19);
    EXPECT_GT(gate_.sendsWithin(30s), 19);
}

TEST_F(GateKeysTest, AReloadKeepsWhatIsKnownOfTheKeysThatStay) {
    for (int i = 0; i < 30; ++i) call(Kind::Ok);
    gate_.reconfigure(options({"c", "new"}));
    EXPECT_EQ(denied(), Denial::RateLimited) << "who takes b's place may be of b's account";
    gate_.reconfigure(options({"c", "new", "newer"}));
    for (int i = 0; i < 10; ++i) EXPECT_EQ(call(Kind::Ok), targetId("newer"));
    EXPECT_EQ(denied(), Denial::RateLimited);
}

// Otherwise jobs would end in the fallback for a key that comes back at midnight.
TEST_F(GateKeysTest, AUsedUpKeyBesideARefusedOneIsWorthWaitingFor) {
    gate_.reconfigure(options({"a", "b"}));
    const size_t refused = call(Kind::KeyRefused);
    EXPECT_NE(call(Kind::QuotaExhausted, 3h), refused);
    EXPECT_EQ(denied(), Denial::RateLimited);
    EXPECT_FALSE(gate_.room(10).set_aside);
    EXPECT_EQ(gate_.state().ready_in, 5min) << "the refused one is tried again by then";
}

TEST_F(GateKeysTest, ALateRefusalOfTheKeyBeforeSaysNothingOfTheOneInItsPlace) {
    gate_.reconfigure(options({"old"}));
    auto late = enter(), later = enter(), disowned = enter();
    gate_.reconfigure(options({"new"}));
    for (const auto kind : {Kind::KeyRefused, Kind::QuotaExhausted})
        EXPECT_FALSE(gate_.leave(kind == Kind::KeyRefused ? late : later, {kind}).any());
    EXPECT_FALSE(denied());
    disowned.target = kNoTarget;
    EXPECT_FALSE(gate_.leave(disowned, {Kind::ModelMissing}).any());
    EXPECT_FALSE(denied());
    EXPECT_EQ(gate_.state().in_flight, 0);
}

// Of what a small request may do nobody knows by what a large one was told.
TEST_F(GateKeysTest, WhereOneKeyCountsTokensTheDenialHoldsForThatRequestAlone) {
    auto tokens = options({"a", "b"});
    tokens.limits.windows = {{{}, 1'000, 1min}};
    gate_.reconfigure(tokens);
    call(Kind::RateLimited, 1s);
    const Demand large{2'400, 100};
    ASSERT_TRUE(gate_.tryEnter(large).pass);
    const auto told = gate_.look(large);
    EXPECT_EQ(told.denied, Denial::RateLimited);
    EXPECT_TRUE(told.tokens_count);
    EXPECT_FALSE(gate_.look({40, 10}).denied);
}

TEST_F(GateKeysTest, WhoEnteredWithAKeyThatIsGoneLeavesInPeace) {
    auto pass = enter();
    gate_.sent(pass);
    gate_.reconfigure(options({"x"}));
    gate_.leave(pass, {Kind::KeyRefused});
    EXPECT_EQ(gate_.state().in_flight, 0);
}

TEST_F(GateKeysTest, ARestartKeepsEachKeysQuotasAndPauses) {
    const size_t limited = call(Kind::RateLimited, 20s);
    for (int i = 0; i < 15; ++i, clock_.advance(1ms)) call(Kind::Ok);
    const auto quotas = gate_.save(true);
    const auto standing = gate_.saveStanding();
    EXPECT_EQ(quotas.text.find("\"abc\""), std::string::npos);

    Gate next(clock_, options({"new", "c", "b", "a"}), [] { return 0.5; });
    ASSERT_TRUE(next.restore(quotas.text, 0ms));
    ASSERT_TRUE(next.restoreStanding(standing.text, 0ms));
    const auto state = next.state();
    EXPECT_EQ(state.keys.at(0).quotas.at(0).used, 0);
    EXPECT_EQ(state.keys.at(1).quotas.at(0).used + state.keys.at(2).quotas.at(0).used, 15);
    EXPECT_EQ(limited, a_);
    EXPECT_EQ(state.keys.at(3).denied, Denial::RateLimited);
}

TEST_F(GateKeysTest, WhatOneKeySavedIsReadByManyAndTheOtherWayRound) {
    Gate one(clock_, options({"a"}), [] { return 0.5; });
    for (int i = 0; i < 4; ++i) {
        auto pass = one.tryEnter({}).pass;
        ASSERT_TRUE(pass);
        one.sent(*pass);
        one.leave(*pass, {Kind::Ok});
    }
    ASSERT_TRUE(gate_.restore(one.save(true).text, 0ms));
    EXPECT_EQ(gate_.state().keys.at(0).quotas.at(0).used, 4);
    Gate after_another(clock_, options({"new", "a"}), [] { return 0.5; });
    ASSERT_TRUE(after_another.restore(one.save(true).text, 0ms));
    EXPECT_EQ(after_another.state().keys.at(0).quotas.at(0).used, 0);
    EXPECT_EQ(after_another.state().keys.at(1).quotas.at(0).used, 4);
    Gate again(clock_, options({"a"}), [] { return 0.5; });
    ASSERT_TRUE(again.restore(gate_.save(true).text, 0ms));
    EXPECT_EQ(again.state().quotas.at(0).used, 4);
    EXPECT_FALSE(again.restore(R"({"keys":[{"target":"a","quotas":7}]})", 0ms));
    EXPECT_FALSE(again.restore("{", 0ms));
}

TEST_F(GateKeysTest, APassIsCoveredOnceItsOwnKeyIsSaved) {
    auto pass = enter();
    EXPECT_FALSE(gate_.covers(pass));
    const auto saved = gate_.save(false);
    auto later = enter();
    gate_.saved(saved);
    EXPECT_TRUE(gate_.covers(pass));
    EXPECT_FALSE(gate_.covers(later));
    gate_.reconfigure(options({"x", "y"}));
    gate_.reconfigure(options({"z"}));
    EXPECT_TRUE(gate_.covers(pass)) << "of a key that is gone nothing is saved";
}

TEST(Heirs, TheSameElseTheOneInItsPlace) {
    using Out = std::vector<std::optional<size_t>>;
    EXPECT_EQ(heirsOf({"a", "b"}, {"a", "b"}), (Out{0, 1}));
    EXPECT_EQ(heirsOf({"b", "a"}, {"a", "b"}), (Out{1, 0}));
    EXPECT_EQ(heirsOf({"x", "b"}, {"a", "b"}), (Out{0, 1}));
    EXPECT_EQ(heirsOf({"x", "a"}, {"a", "b"}), (Out{std::nullopt, 0}));
    EXPECT_EQ(heirsOf({"a", "x"}, {"a"}), (Out{0, std::nullopt}));
    EXPECT_EQ(heirsOf({"x"}, {"a", "b"}), (Out{0}));
}

}  // namespace
}  // namespace stepper::limits
