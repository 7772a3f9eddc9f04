// The public JSON Schema corpus, drafts 4, 7 and 2020-12, without optional parts and references to other
// documents. Debian has the older drafts; the newest is tried where a copy of it lies beside the checkout.
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "core/schema/json_schema.h"

namespace stepper {
namespace {

namespace fs = std::filesystem;

// Groups that are refused when compiled: they refer to other documents, or to parts of theirs by a URI.
const std::set<std::string> kRefused = {
    "draft4/definitions.json: invalid definition",
    "draft4/definitions.json: valid definition",
    "draft4/ref.json: Recursive references between schemas",
    "draft4/ref.json: remote ref, containing refs itself",
    "draft2020-12/anchor.json: Location-independent identifier with absolute URI",
    "draft2020-12/anchor.json: Location-independent identifier with base URI change in subschema",
    "draft2020-12/anchor.json: same $anchor with different base uri",
    "draft2020-12/defs.json: validate definition against metaschema",
    "draft2020-12/enum.json: empty enum",
    "draft2020-12/ref.json: $id must be resolved against nearest parent, not just immediate parent",
    "draft2020-12/ref.json: Recursive references between schemas",
    "draft2020-12/ref.json: URN ref with nested pointer ref",
    "draft2020-12/ref.json: order of evaluation: $id and $ref",
    "draft2020-12/ref.json: order of evaluation: $id and $ref on nested schema",
    "draft2020-12/ref.json: ref to else",
    "draft2020-12/ref.json: ref to if",
    "draft2020-12/ref.json: ref to then",
    "draft2020-12/ref.json: ref with absolute-path-reference",
    "draft2020-12/ref.json: refs with relative uris and defs",
    "draft2020-12/ref.json: relative refs with absolute uris and defs",
    "draft2020-12/ref.json: remote ref, containing refs itself",
    "draft2020-12/unevaluatedItems.json: unevaluatedItems with $dynamicRef",
    "draft2020-12/unevaluatedProperties.json: unevaluatedProperties with $dynamicRef",
    "draft7/definitions.json: invalid definition",
    "draft7/definitions.json: valid definition",
    "draft7/ref.json: Recursive references between schemas",
    "draft7/ref.json: remote ref, containing refs itself",
};
const std::set<std::string> kOtherDocuments = {"refRemote.json", "vocabulary.json"};
// About a keyword that is refused, most of it.
const std::set<std::string> kRefusedKeywords = {"dynamicRef.json"};
// Cases with another answer: the pattern is no regular expression of ours and so not enforced.
const std::set<std::string> kDifferent = {
    "draft2020-12/pattern.json: pattern with Unicode property escape requires unicode mode: Digits do not "
    "match",
};

struct Counts {
    int passed = 0, refused = 0, different = 0;
};

// The older suites leave out which draft a schema follows.
json::Document withDialect(const json::Value& schema, const std::string& dialect) {
    json::Document out = json::parse(json::dump(schema)).value();
    if (out.IsObject() && !json::find(out, "$schema")) json::set(out, "$schema", dialect, out.GetAllocator());
    return out;
}

void runGroup(const json::Value& group, const std::string& file, const std::string& dialect, Counts& counts) {
    const std::string name = file + ": " + std::string(json::view(group["description"]));
    const auto schema = JsonSchema::compile(withDialect(group["schema"], dialect));
    if (!schema) {
        counts.refused += static_cast<int>(group["tests"].Size());
        EXPECT_TRUE(kRefused.count(name) || kRefusedKeywords.count(fs::path(file).filename()))
            << name << ": " << schema.error().message;
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

Counts runDraft(const fs::path& corpus, const std::string& draft, const std::string& dialect) {
    Counts counts;
    for (const auto& entry : fs::directory_iterator(corpus / draft)) {
        const std::string name = entry.path().filename().string();
        if (!entry.is_regular_file() || kOtherDocuments.count(name) > 0) continue;
        std::ostringstream text;
        text << std::ifstream(entry.path()).rdbuf();
        const auto groups = json::parse(text.str());
        EXPECT_TRUE(groups.ok()) << entry.path();
        if (!groups) continue;
        for (const auto& group : groups->GetArray()) runGroup(group, draft + "/" + name, dialect, counts);
    }
    std::printf("%s: passed %d, refused %d, different %d\n", draft.c_str(), counts.passed, counts.refused,
                counts.different);
    return counts;
}

TEST(JsonSchemaSuite, EveryRequiredCase) {
    const fs::path corpus = STEPPER_JSON_SCHEMA_SUITE;
    if (!fs::exists(corpus)) GTEST_SKIP() << "json-schema-test-suite is not installed";
    EXPECT_GE(runDraft(corpus, "draft4", "http://json-schema.org/draft-04/schema#").passed, 290);
    EXPECT_GE(runDraft(corpus, "draft7", "http://json-schema.org/draft-07/schema#").passed, 400);
}

TEST(JsonSchemaSuite, TheNewestDraft) {
    const fs::path corpus = STEPPER_JSON_SCHEMA_2020;
    if (!fs::exists(corpus / "draft2020-12")) GTEST_SKIP() << "no copy of the suite beside the checkout";
    EXPECT_GE(runDraft(corpus, "draft2020-12", "https://json-schema.org/draft/2020-12/schema").passed, 1100);
}

}  // namespace
}  // namespace stepper
