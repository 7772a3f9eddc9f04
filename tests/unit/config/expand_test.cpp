#include "core/config/expand.h"

#include <gtest/gtest.h>

namespace stepper::config {
namespace {

const Environment kEnv = {{"A", "1"}, {"LONG_NAME_2", "two"}, {"EMPTY", ""}};

TEST(Expand, ReplacesReferences) {
    const std::pair<const char*, const char*> cases[] = {
        {"plain", "plain"},
        {"", ""},
        {"${A}", "1"},
        {"x${A}y${LONG_NAME_2}z", "x1ytwoz"},
        {"${A}${A}", "11"},
        {"${NOPE:-fallback}", "fallback"},
        {"${NOPE:-}", ""},
        {"${EMPTY:-used}", "used"},
        {"${EMPTY}", ""},
        {"${A:-unused}", "1"},
        {"${NOPE:-http://h:80/a,b}", "http://h:80/a,b"},
        {"$$", "$"},
        {"$${A}", "${A}"},
        {"$$$${A}", "$${A}"},
        {"$$${A}", "$1"},
        {"$", "$"},
        {"$A 5$", "$A 5$"},
        {"}{", "}{"},
    };
    for (const auto& [text, expected] : cases) {
        const Expanded e = expand(text, kEnv);
        EXPECT_EQ(e.text, expected) << text;
        EXPECT_EQ(e.unset, "") << text;
        EXPECT_EQ(e.problem, "") << text;
    }
}

TEST(Expand, NamesTheFirstUnsetVariable) {
    EXPECT_EQ(expand("${A} ${NOPE} ${OTHER}", kEnv).unset, "NOPE");
    EXPECT_EQ(expand("${A} ${NOPE} ${OTHER}", kEnv).text, "1  ");
}

TEST(Expand, RefusesMalformedReferences) {
    for (const char* text :
         {"${", "${A", "${}", "${1A}", "${A B}", "${A-x}", "${A:x}", "${A:-${B}}", "x${:-y}"})
        EXPECT_NE(expand(text, kEnv).problem, "") << text;
}

TEST(Expand, FindsTheFirstVariable) {
    EXPECT_EQ(firstVariable("Bearer ${KEY:-x} ${B}"), "KEY");
    EXPECT_EQ(firstVariable("$$ $5 ${KEY}"), "KEY");
    EXPECT_EQ(firstVariable("$${KEY}"), "");
    EXPECT_EQ(firstVariable("none"), "");
    EXPECT_EQ(firstVariable("${broken"), "");
}

}  // namespace
}  // namespace stepper::config
