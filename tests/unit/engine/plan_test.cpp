#include "core/engine/plan.h"

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
    Names order(const Names& preferred, const Names& excluded) const {
        Names out;
        for (const auto* entry : plan(snapshot_, preferred, excluded)) out.push_back(entry->spec.name);
        return out;
    }
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

}  // namespace
}  // namespace stepper::engine
