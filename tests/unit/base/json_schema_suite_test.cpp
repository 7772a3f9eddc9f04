// The public JSON Schema corpus, drafts 4 and 7, without optional parts and references to other documents.
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "core/base/json_schema.h"

namespace stepper {
namespace {

namespace fs = std::filesystem;

// Groups that are refused when compiled: both refer to other documents.
const std::set<std::string> kRefused = {
    "draft4/definitions.json: invalid definition",
    "draft4/definitions.json: valid definition",
    "draft4/ref.json: Recursive references between schemas",
    "draft4/ref.json: remote ref, containing refs itself",
    "draft7/definitions.json: invalid definition",
    "draft7/definitions.json: valid definition",
    "draft7/ref.json: Recursive references between schemas",
    "draft7/ref.json: remote ref, containing refs itself",
};
// Cases with another answer; none at present.
const std::set<std::string> kDifferent = {};

struct Counts {
    int passed = 0, refused = 0, different = 0;
};

void runGroup(const json::Value& group, const std::string& file, Counts& counts) {
    const std::string name = file + ": " + std::string(json::view(group["description"]));
    const auto schema = JsonSchema::compile(group["schema"]);
    if (!schema) {
        counts.refused += static_cast<int>(group["tests"].Size());
        EXPECT_TRUE(kRefused.count(name)) << name << ": " << schema.error().message;
        return;
    }
    EXPECT_FALSE(kRefused.count(name)) << name << " compiles now";
    for (const auto& test : group["tests"].GetArray()) {
        const std::string label = name + ": " + std::string(json::view(test["description"]));
        const auto outcome = schema->validate(test["data"]);
        const bool as_expected = outcome.ok() == test["valid"].GetBool();
        ++(as_expected ? counts.passed : counts.different);
        EXPECT_NE(as_expected, kDifferent.count(label) > 0)
            << label << (outcome ? "" : ": " + outcome.error().message);
    }
}

TEST(JsonSchemaSuite, EveryRequiredCase) {
    const fs::path corpus = STEPPER_JSON_SCHEMA_SUITE;
    if (!fs::exists(corpus)) GTEST_SKIP() << "json-schema-test-suite is not installed";
    Counts counts;
    for (const char* draft : {"draft4", "draft7"})
        for (const auto& entry : fs::directory_iterator(corpus / draft)) {
            const std::string file = std::string(draft) + "/" + entry.path().filename().string();
            if (!entry.is_regular_file() || entry.path().filename() == "refRemote.json") continue;
            std::ostringstream text;
            text << std::ifstream(entry.path()).rdbuf();
            const auto groups = json::parse(text.str());
            ASSERT_TRUE(groups.ok()) << file;
            for (const auto& group : groups->GetArray()) runGroup(group, file, counts);
        }
    std::printf("passed %d, refused %d, different %d\n", counts.passed, counts.refused, counts.different);
    EXPECT_GE(counts.passed, 700);
}

}  // namespace
}  // namespace stepper
