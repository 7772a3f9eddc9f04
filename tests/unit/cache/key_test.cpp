#include "core/cache/key.h"

#include <set>

#include <gtest/gtest.h>

#include "core/base/id.h"

namespace stepper::cache {
namespace {

std::string keyOfText(std::string_view tenant, std::string_view identity) {
    return keyOf(tenant, json::parse(identity).value());
}

TEST(Key, IsTheDigestOfTheCanonicalJson) {
    EXPECT_EQ(keyOfText("acme \"1\"", R"({"prompt": "hi", "n": 1.0})"),
              sha256Hex(R"({"identity":{"n":1,"prompt":"hi"},"tenant":"acme \"1\"","v":1})"));
}

TEST(Key, DoesNotDependOnNotation) {
    EXPECT_EQ(keyOfText("t", R"({"a":[1,"\u0041"],"b":{"c":null,"d":0.5}})"),
              keyOfText("t", R"( { "b": {"d":5e-1, "c":null}, "a":[1.0, "A"] } )"));
}

TEST(Key, DiffersWithTenantAndIdentity) {
    const std::set<std::string> keys = {
        keyOfText("", "{}"),          keyOfText("t", "{}"),           keyOfText("T", "{}"),
        keyOfText("t", R"({"a":1})"), keyOfText("t", R"({"a":2})"),   keyOfText("t", R"({"a":"1"})"),
        keyOfText("t", R"({"b":1})"), keyOfText("t", "[1,2]"),        keyOfText("t", "[2,1]"),
        keyOfText("t", "null"),       keyOfText("t\",\"v\":1}", "{}")};
    EXPECT_EQ(keys.size(), 11u);
}

}  // namespace
}  // namespace stepper::cache
