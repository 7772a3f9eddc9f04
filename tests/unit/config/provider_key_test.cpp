// Keys as env files, shells, secrets of Kubernetes and web pages hand them over.
#include "core/config/provider_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/support.h"

namespace stepper::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

struct Case {
    std::string written, key, remark;
};

TEST(ProviderKey, WhatIsNoPartOfItIsTakenAwayAndTold) {
    const Case cases[] = {
        {"\"sk-abc123\"", "sk-abc123", "quotes"},  // moby/moby#46773, docker --env-file
        {"'sk-abc123'", "sk-abc123", "quotes"},    // joemccann/radon#184
        {"`sk-abc123`", "sk-abc123", "quotes"},
        {"\u201Csk-abc123\u201D", "sk-abc123", "quotes"},
        {"Bearer sk-abc123", "sk-abc123", "Bearer"},
        {"bearer  sk-abc123", "sk-abc123", "Bearer"},
        {"Authorization: Bearer sk-abc123", "sk-abc123", "Bearer"},
        {"sk-abc123\n", "sk-abc123", "blanks"},  // a secret mounted or made with echo
        {"  sk-abc123\r\n", "sk-abc123", "blanks"},
        {"\uFEFFsk-abc123", "sk-abc123", "blanks"},
        {"sk-abc123\u200B", "sk-abc123", "blanks"},
        {"\u00A0sk-abc123 ", "sk-abc123", "blanks"},
        {"\"\"", "", "quotes"},
        {"Bearer", "", "Bearer"},  // langchain-ai/langchain#21261
    };
    for (const auto& c : cases) {
        const auto read = readProviderKey(c.written);
        EXPECT_EQ(read.key, c.key) << c.written;
        EXPECT_THAT(read.remarks, ElementsAre(HasSubstr(c.remark))) << c.written;
    }
    const auto both = readProviderKey(" \"Bearer sk-abc123\" ");
    EXPECT_EQ(both.key, "sk-abc123");
    EXPECT_THAT(both.remarks, SizeIs(3));
}

TEST(ProviderKey, WhatCannotBeOneIsToldAndLeft) {
    const Case cases[] = {
        {"$GROQ_API_KEY", "", "write ${GROQ_API_KEY}"},
        {"your-api-key-here", "", "placeholder"},  // topoteretes/cognee#1721
        {"<YOUR_KEY>", "", "placeholder"},
        {"sk-xxxxxxxx-placeholder", "", "placeholder"},
        {"sk-...", "", "placeholder"},
        {"xxxxxxxxxxxx", "", "placeholder"},
        {"changeme", "", "placeholder"},
        {"REPLACE_ME", "", "placeholder"},
        {"OPENAI_API_KEY=sk-abc123", "", "NAME=value"},
        {"sk-abc\u2013123", "", "ASCII"},
        {"sk-abc 123", "", "blank"},
        {"${{ secrets.KEY }}", "", "nobody replaced"},
    };
    for (const auto& c : cases) {
        const auto read = readProviderKey(c.written);
        EXPECT_EQ(read.key, c.written);
        EXPECT_THAT(read.remarks, ElementsAre(HasSubstr(c.remark))) << c.written;
        EXPECT_THAT(read.remarks[0], Not(HasSubstr("sk-abc"))) << "no key is in a message";
    }
}

TEST(ProviderKey, KeysAreLeftAlone) {
    for (const char* key : {"sk-proj-aB3_-x", "AIzaSyA1b2", "abc=def==", "k-test", "none", "dummy", "ollama",
                            "a.b~c+d/e=", "id:secret", "bearer-1", "$2b$10$abc", "sk_test_1"}) {
        const auto read = readProviderKey(key);
        EXPECT_EQ(read.key, key);
        EXPECT_THAT(read.remarks, IsEmpty()) << key;
    }
    EXPECT_EQ(readProviderKey("").key, "");
}

TEST(ProviderKey, TheWarningNamesTheProviderAndThePlace) {
    const auto c = parseProvider("    base_url: http://h\n    api_key: ${K:-}\n", {{"K", "\"sk-abc123\""}});
    ASSERT_TRUE(c) << problemOf(c);
    EXPECT_EQ(c->providers[0].api_keys.at(0).reveal(), "sk-abc123");
    EXPECT_THAT(
        c->warnings,
        ElementsAre("providers.yaml:5:14: provider one: its api_key is in quotes, as docker --env-file "
                    "keeps them; they were left away."));
    const auto dollar = parseProvider("    base_url: http://h\n    api_key: $K\n", {{"K", "sk-abc123"}});
    ASSERT_TRUE(dollar);
    EXPECT_THAT(dollar->warnings, Contains(HasSubstr("write ${K}")));
    const auto literal = parseProvider("    base_url: http://h\n    api_key: $uperSecretPassw0rd\n", {});
    ASSERT_TRUE(literal);
    EXPECT_THAT(literal->warnings, Not(Contains(HasSubstr("Passw0rd"))));
    EXPECT_THAT(literal->warnings, Contains(HasSubstr("write ${NAME}")));
    const auto overridden = parseProvider("    base_url: http://h\n", {{"ONE_API_KEY", "Bearer x1"}});
    ASSERT_TRUE(overridden);
    EXPECT_EQ(overridden->providers[0].api_keys.at(0).reveal(), "x1");
    EXPECT_THAT(overridden->warnings, Contains(HasSubstr("ONE_API_KEY: provider one: its api_key begins")));
}

TEST(ProviderKey, SeveralAreUsedOnceEach) {
    const std::string block = "    base_url: http://h\n    api_keys: [one, ${K2:-}, two, one]\n";
    const auto c = parseProvider(block);
    ASSERT_TRUE(c) << problemOf(c);
    EXPECT_THAT(c->providers[0].api_keys, ElementsAre(Secret("one"), Secret("two")));
    EXPECT_THAT(c->warnings,
                ElementsAre("providers.yaml:5:35: provider one: its api_key is in the list before; "
                            "it counts once."));
    const auto third = parseProvider(block, {{"K2", "three"}});
    EXPECT_EQ(third->providers[0].api_keys.size(), 3u);
    const std::string named =
        "    base_url: http://h\n    api_keys: ['${ONE_API_KEY:-}', '${ONE_API_KEY_2:-}']\n";
    const auto by_its_name = parseProvider(named, {{"ONE_API_KEY", "a1"}, {"ONE_API_KEY_2", "a2"}});
    EXPECT_THAT(by_its_name->providers[0].api_keys, ElementsAre(Secret("a1"), Secret("a2")));
    const auto variable = parseProvider(block, {{"ONE_API_KEY", "four"}});
    EXPECT_THAT(variable->providers[0].api_keys, ElementsAre(Secret("four")));
}

TEST(ProviderKey, AListWithoutAnySwitchesTheProviderOff) {
    for (const char* list : {"[]", "[${K1:-}, ${K2:-}]"}) {
        const auto c = parseProvider("    base_url: http://h\n    api_keys: " + std::string(list) + "\n");
        ASSERT_TRUE(c) << problemOf(c);
        EXPECT_FALSE(c->providers[0].enabled);
    }
    const auto c = parseProvider("    base_url: http://h\n    api_keys: [\"${K1:-}\", \"${K2:-}\"]\n");
    EXPECT_EQ(c->providers[0].disabled_reason, "no API key: set K1");
}

TEST(ProviderKey, OneKeyAndAListOfThemIsRefused) {
    const auto c = parseProvider("    base_url: http://h\n    api_key: a\n    api_keys: [b]\n");
    EXPECT_EQ(problemOf(c),
              "providers.yaml:6:15: providers[0].api_keys: stands beside api_key; write one of the two");
}

}  // namespace
}  // namespace stepper::config
