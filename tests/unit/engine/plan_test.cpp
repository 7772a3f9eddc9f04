#include "core/engine/plan.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/engine/support.h"

namespace stepper::engine {
namespace {

using Names = std::vector<std::string>;

class Plan : public testing::Test {
protected:
    Plan() {
        for (const char* name : {"gemini", "cohere", "off", "openai"})
            snapshot_.providers.push_back(shoutEntry(name, std::string(name) != "off"));
    }
    Names order(const Names& preferred, const Names& excluded) {
        request_.preferred = preferred;
        request_.excluded = excluded;
        return order();
    }
    Names order() const {
        Names out;
        for (const auto* entry : plan(snapshot_, request_)) out.push_back(entry->spec.name);
        return out;
    }
    ProviderEntry& entry(std::string_view name) {
        return *std::find_if(snapshot_.providers.begin(), snapshot_.providers.end(),
                             [&](const auto& e) { return e.spec.name == name; });
    }
    // An answer that took that long by the gate's clock.
    void answered(std::string_view name, milliseconds took) {
        auto pass = *entry(name).gate->tryEnter({}).pass;
        pass.entered = std::chrono::steady_clock::now() - took;
        entry(name).gate->leave(pass, {limits::Report::Kind::Ok, {}, {}, {}});
    }
    GenerateRequest request_;
    Snapshot snapshot_;
};

TEST_F(Plan, ConfiguredOrderWithoutTheDisabled) {
    EXPECT_EQ(order({}, {}), (Names{"gemini", "cohere", "openai"}));
}

TEST_F(Plan, PreferredComeFirstInTheOrderNamed) {
    EXPECT_EQ(order({"OpenAI", "cohere"}, {}), (Names{"openai", "cohere", "gemini"}));
    EXPECT_EQ(order({"cohere", "cohere"}, {}), (Names{"cohere", "gemini", "openai"}));
}

TEST_F(Plan, UnknownNamesAreIgnored) {
    EXPECT_EQ(order({"nobody"}, {"nobody else"}), (Names{"gemini", "cohere", "openai"}));
}

TEST_F(Plan, ExcludedBeatsPreferred) {
    EXPECT_EQ(order({"gemini"}, {"GEMINI"}), (Names{"cohere", "openai"}));
    EXPECT_EQ(order({}, {"gemini", "cohere", "openai"}), Names{});
}

TEST_F(Plan, ADisabledProviderTakesPartOnlyWhenPreferred) {
    EXPECT_EQ(order({"off"}, {}), (Names{"off", "gemini", "cohere", "openai"}));
}

TEST_F(Plan, FastestFirstByWhatWasMeasuredAndTheUnknownBefore) {
    request_.plan = config::Plan::FastestFirst;
    answered("gemini", milliseconds{900});
    answered("cohere", milliseconds{100});
    EXPECT_EQ(order(), (Names{"openai", "cohere", "gemini"}));
    answered("openai", milliseconds{500});
    EXPECT_EQ(order(), (Names{"cohere", "openai", "gemini"}));
    request_.preferred = {"gemini"};
    EXPECT_EQ(order(), (Names{"gemini", "cohere", "openai"}));
}

TEST_F(Plan, CheapestFirstByPriceAndTheUnpricedLast) {
    snapshot_.config.plan = config::Plan::CheapestFirst;
    entry("cohere").spec.price = config::Price{0.1, 8};
    entry("openai").spec.price = config::Price{3, 1};
    EXPECT_EQ(order(), (Names{"openai", "cohere", "gemini"}));
    request_.max_output_tokens = 1;  // then input decides
    EXPECT_EQ(order(), (Names{"cohere", "openai", "gemini"}));
    request_.plan = config::Plan::Manual;
    EXPECT_EQ(order(), (Names{"gemini", "cohere", "openai"}));
}

TEST_F(Plan, AModelIsForThoseThatListIt) {
    entry("gemini").spec.model = "g-1";
    entry("cohere").spec.models = {"g-1", "c-2"};
    entry("off").spec.model = "o-1";
    request_.model = "g-1";
    EXPECT_EQ(order({}, {}), (Names{"gemini", "cohere"}));
    EXPECT_EQ(order({"off", "cohere"}, {}), (Names{"cohere", "gemini"}));
    EXPECT_EQ(order({}, {"gemini"}), Names{"cohere"});
    EXPECT_FALSE(modelProblem(snapshot_, request_));
    request_.model = "G-1";
    EXPECT_EQ(order({}, {}), Names{});
}

TEST_F(Plan, AModelThatNobodyListsIsToldWithThoseThereAre) {
    const auto problem = [&](const char* model) {
        request_.model = model;
        return modelProblem(snapshot_, request_).value().message;
    };
    for (auto& provider : snapshot_.providers) provider.spec.model.clear();
    EXPECT_EQ(problem("m"), "Invalid model: no provider that may be asked lists 'm'; none of them lists any");
    entry("gemini").spec.model = "g-1";
    entry("cohere").spec.models = {"c-2", "g-1", "c-3"};
    entry("off").spec.model = "o-1";
    EXPECT_EQ(problem("m"),
              "Invalid model: no provider that may be asked lists 'm'; there are 'g-1', 'c-2', 'c-3'");
    EXPECT_EQ(problem("o-1"),
              "Invalid model: no provider that may be asked lists 'o-1'; there are 'g-1', 'c-2', 'c-3'");
    request_.preferred = {"off"};
    EXPECT_FALSE(modelProblem(snapshot_, request_)) << "its absence is explained as that of any";
    request_.preferred.clear();
    request_.excluded = {"cohere"};
    EXPECT_EQ(problem("c-2"), "Invalid model: no provider that may be asked lists 'c-2'; there are 'g-1'");
    request_.model.clear();
    request_.excluded = {"gemini", "cohere", "openai"};
    EXPECT_FALSE(modelProblem(snapshot_, request_));
}

TEST_F(Plan, OfManyModelsSomeAreToldAndHowManyMore) {
    for (int i = 0; i < 100; ++i) entry("gemini").spec.models.push_back("g-" + std::to_string(i));
    for (auto& provider : snapshot_.providers) provider.spec.model.clear();
    request_.model = "m";
    EXPECT_TRUE(modelProblem(snapshot_, request_)->message.ends_with("'g-39' and 60 more"));
}

TEST(Cost, IsByTheMillionAndUnknownWithoutAPrice) {
    config::Provider provider;
    EXPECT_FALSE(costOf(provider, 1, 1));
    provider.price = config::Price{2, 8};
    EXPECT_DOUBLE_EQ(*costOf(provider, 1'000'000, 500'000), 6);
}

}  // namespace
}  // namespace stepper::engine
