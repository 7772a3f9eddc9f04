// YAML as other tools take it and as editors, Windows and people leave it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/support.h"

namespace stepper::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Yaml, WhatOtherToolsTakeMeansTheSame) {
    const char* const cases[] = {
        "queue: { workers: 7 }\nlog: { level: warn }\n",
        "queue:\n  workers:\t7\nlog:\n  level:\twarn\n",            // jbeder/yaml-cpp#383
        "queue:\n  workers: 7\t# seven\nlog:\n  level: warn\t\n",   // yaml/pyyaml#450, fktn-k/fkYAML#494
        "queue: {\n\tworkers: 7,\n\t}\nlog: {\tlevel:\twarn\t}\n",  // tabs in flow collections
        "queue:\t{ workers: 7 }\n\t# a remark\nlog: { level: warn }\n",
        "queue: { workers: 7 }\n\t\nlog: { level: warn }\n \t\n",  // aaubry/YamlDotNet#288
        "queue:\n  workers: \"7\"\t\nlog:\n  level: 'warn'\t#\n",
        "\xEF\xBB\xBFqueue: { workers: 7 }\nlog: { level: warn }\n",
        "\xEF\xBB\xBF---\nqueue: { workers: 7 }\nlog: { level: warn }\n",
        "queue:\r\n  workers: 7\r\nlog:\r\n  level: warn\r\n",
        "---\nqueue: { workers: 7 }\nlog: { level: warn }\n...\n",
        "%YAML 1.2\n---\t\nqueue: { workers: 7 }\nlog: { level: warn }\n",
        "{\"queue\": {\"workers\": 7}, \"log\": {\"level\": \"warn\"}}",
        "{\n\t\"queue\": {\n\t\t\"workers\": 7\n\t},\n\t\"log\": {\"level\": \"warn\"}\n}\n",  // JSON with
                                                                                               // tabs
        "x-log: &quiet { level: warn }\nqueue: { workers: 7 }\nlog: *quiet\n",
        "x-queue: &q { workers: 7, lease: 10s }\nx-anything: [1, {a: b}]\nqueue: { <<: *q }\nlog: { level: "
        "warn }\n",
        "x-a: &a { workers: 9 }\nx-b: &b { workers: 8, lease: 10s }\nqueue: { <<: [*a, *b], workers: 7 "
        "}\nlog: { level: warn }\n",
    };
    for (const char* text : cases) {
        const auto c = parseSettings(text);
        ASSERT_TRUE(c) << text << "\n" << problemOf(c);
        EXPECT_EQ(c->queue.workers, 7) << text;
        EXPECT_EQ(c->log.level, "warn") << text;
        EXPECT_THAT(c->warnings, ElementsAre(HasSubstr("No provider is enabled"))) << text;
    }
}

TEST(Yaml, TabsThatAreContentStay) {
    const auto c = parseProvider(
        "    base_url: http://h\n    options:\n      quoted: \"a\tb\"\n      plain: a\tb\n      block: |\n   "
        "     a\n        \tb\n");
    ASSERT_TRUE(c) << problemOf(c);
    EXPECT_EQ(c->providers[0].options_json, R"({"quoted":"a\tb","plain":"a\tb","block":"a\n\tb\n"})");
}

TEST(Yaml, ExtensionsAreForTheTopLevelOfBothFiles) {
    const auto c = parseProviders(
        "x-usual: &usual\n  timeout: 5s\n  unset: ${NOT_SET}\nproviders:\n  - name: a\n    plugin: p\n    "
        "base_url: http://h\n    limits: { <<: { rpm: 3 } }\n");
    ASSERT_TRUE(c) << problemOf(c);
    EXPECT_EQ(c->providers[0].limits.rpm, 3);
    EXPECT_THAT(problemOf(parseSettings("log: { x-level: info }\n")), HasSubstr("log.x-level: unknown key"));
    EXPECT_THAT(problemOf(parseSettings("xlog: {}\n")), HasSubstr("xlog: unknown key"));
}

}  // namespace
}  // namespace stepper::config
