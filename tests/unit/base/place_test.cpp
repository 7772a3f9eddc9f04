#include "core/base/place.h"

#include <gtest/gtest.h>

#include "core/base/text.h"

namespace stepper {
namespace {

TEST(Place, InWords) {
    const Place root("outputSchema"), properties(root, "properties"), a(properties, "a/b~c");
    EXPECT_EQ(root.dotted(), "outputSchema");
    EXPECT_EQ(a.dotted(), "outputSchema.properties.a/b~c");
    const Place body(""), items(body, "items"), third(items, 2), member(third, "id");
    EXPECT_EQ(member.dotted(), "items[2].id");
    EXPECT_EQ(body.dotted(), "");
}

TEST(Place, AsAPointer) {
    const Place root(""), all(root, "allOf"), first(all, 0), name(first, "a/b~c"), none(name, "");
    EXPECT_EQ(root.pointer(), "");
    EXPECT_EQ(none.pointer(), "/allOf/0/a~1b~0c/");
    const Place defined("/$defs/x");
    EXPECT_EQ(Place(defined, "type").pointer(), "/$defs/x/type");
}

TEST(Place, ShowsSoMuchOfLongNames) {
    const std::string name(300, '/');
    std::string umlauts;
    for (int i = 0; i < 300; ++i) umlauts += "\xC3\xA4";
    const Place root(""), a(root, umlauts), b(a, "type"), slashes(root, name);
    EXPECT_EQ(b.dotted(), umlauts.substr(0, Place::kMostBytes));
    EXPECT_EQ(b.pointer(), "/" + umlauts.substr(0, Place::kMostBytes - 2));
    EXPECT_TRUE(isValidUtf8(b.pointer()));
    EXPECT_LE(slashes.pointer().size(), Place::kMostBytes);
}

}  // namespace
}  // namespace stepper
