#include "stepper/kit/config.hpp"

#include <gtest/gtest.h>

namespace stepper::kit {
namespace {

TEST(Config, WhatIsConfigured) {
    const Config config(
        R"({"base_url":"https://host/api//","model":"m","options":{"word":"","flag":false,"count":7}})");
    EXPECT_EQ(config.baseUrl(), "https://host/api");
    EXPECT_EQ(config.model(), "m");
    EXPECT_EQ(config.word("word", "otherwise"), "") << "empty is a choice, too";
    EXPECT_FALSE(config.flag("flag", true));
    EXPECT_EQ(config.count("count", 1), 7);
}

TEST(Config, WhatIsNot) {
    for (const char* json : {"{}", R"({"base_url":null,"options":null})", ""}) {
        const Config config(json);
        EXPECT_EQ(config.baseUrl(), "");
        EXPECT_TRUE(config.options().IsObject());
        EXPECT_EQ(config.word("word", "otherwise"), "otherwise");
        EXPECT_TRUE(config.flag("flag", true));
        EXPECT_EQ(config.count("count", 1), 1);
    }
}

}  // namespace
}  // namespace stepper::kit
