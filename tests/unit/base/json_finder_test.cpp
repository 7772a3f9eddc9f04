#include "core/base/json_finder.h"

#include <gtest/gtest.h>

namespace stepper::json {
namespace {

Document parsed(const std::string& text) { return parse(text).value(); }

// With two members of each name, of which the first counts.
std::string objectOf(int members) {
    std::string out = "{";
    for (const char* value : {"1", "2"})
        for (int i = 0; i < members; ++i)
            out += (out.size() > 1 ? ",\"k" : "\"k") + std::to_string(i) + "\":" + value;
    return out + "}";
}

TEST(Finder, AnswersAsFindDoes) {
    for (const int members : {0, 1, 16, 17, 500}) {
        const Document object = parsed(objectOf(members));
        Finder finder;
        for (int i = -1; i <= members; ++i) {
            const std::string name = "k" + std::to_string(i);
            EXPECT_EQ(finder.find(object, name), find(object, name)) << name;
        }
        EXPECT_EQ(finder.find(object, ""), nullptr);
    }
    const Document array = parsed("[1]");
    EXPECT_EQ(Finder().find(array, "0"), nullptr);
}

TEST(Finder, AnswersAsAtDoes) {
    const Document v =
        parsed(R"({"a":[10,{"b/c":1,"d~e":2,"":{"":3}}],"0":4,"~":5,"many":)" + objectOf(50) + "}");
    Finder finder;
    for (const char* pointer :
         {"",    "/a",        "/a/0",      "/a/1",           "/a/2",  "/a/01",  "/a/-1", "/a/-",
          "/a/", "/a/1/b~1c", "/a/1/b/c",  "/a/1/d~0e",      "/a/1/", "/a/1//", "/0",    "/0/1",
          "/~0", "/many/k49", "/many/k50", "/a/99999999999", "/b",    "//"})
        EXPECT_EQ(finder.at(v, pointer), at(v, pointer)) << pointer;
    for (const char* broken : {"a", "/~", "/~2", "/a~"}) EXPECT_EQ(finder.at(v, broken), nullptr) << broken;
}

}  // namespace
}  // namespace stepper::json
