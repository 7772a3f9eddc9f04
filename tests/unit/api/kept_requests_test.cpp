// Jobs and answers outlive upgrades: what is stored of a request must be read as it was, and keep its cache
// key. One that changes makes every answer under it be paid for again.
#include <gtest/gtest.h>

#include "core/api/generate_request.h"
#include "core/engine/usage.h"
#include "core/jobs/identity.h"

namespace stepper::api {
namespace {

constexpr std::string_view kCommit =
    R"("userId":"u","commitSha":"c0ffee","repo":"o/r","message":"Fix it\n\nIt broke.","files":["a.ts","b.ts"],)"
    R"("components":["app"],"diffSummary":"+ password=hunter2hunter2")";

std::string commit(std::string_view more = "") {
    return "{" + std::string(kCommit) + std::string(more) + "}";
}
std::string preset(std::string_view more = "", std::string_view beside = "") {
    return R"({"prompt":{"preset":"commit-report","payload":)" + commit() + std::string(more) + "}" +
           std::string(beside) + "}";
}

constexpr std::string_view kOfALaterVersion = "of a later version";

struct Kept {
    std::string_view kind;
    std::string body;
    std::string_view key = {};
};

engine::GenerateRequest read(const Kept& kept) {
    auto request = decodeStored(kept.kind, kept.body);
    EXPECT_TRUE(request.ok()) << kept.body;
    return request ? std::move(request).value() : engine::GenerateRequest{};
}

const Kept kKept[] = {
    {"generate", R"({"prompt":"p"})", "af0f7c7d85c65dbef74bcdac602fb99d591c625fa724a7435abfb71f2f879ddc"},
    {kOfALaterVersion, R"({"prompt":"p"})",
     "af0f7c7d85c65dbef74bcdac602fb99d591c625fa724a7435abfb71f2f879ddc"},
    {"generate", R"({"prompt":"p","responseMode":"text"})",
     "210ba8c02aff5ed3ee0fabe4d383af2ec9469f0167e3e6f73ca7f410deb3cde7"},
    {"generate", R"({"prompt":"p","tenantId":"t","requestId":"r"})",
     "ba71ddd1a1bc9bff3866b51720d8ea72c09c6935fe25e4d0eabb27c090ea3872"},
    {"generate",
     R"({"prompt":{"template":"{{ metadata.a }}","payload":{"b":[1.50,null]}},"metadata":{"a":1}})",
     "0d1ca9c01d06188c819c95418fac0b533b269cf062ff644a5d81ae06f793cdbe"},
    {"generate", R"({"prompt":"p","metadata":{"a":1},"payload":{"id":9007199254740993}})",
     "b42bd102313ecdf250f3d880338efec8d53af9bcbb7715590e28e8488c8cf1df"},
    {"generate", R"({"messages":[{"role":"user","content":"p"}],"system":"s","temperature":0.5,"model":"m"})",
     "b55ae17abfc93bfbfc225355ca694da54cea1a2c919d92e1f3ada81caa972468"},
    {"generate",
     R"({"prompt":"p","preferredProviders":["a"],"excludeProviders":["b"],"plan":"fastest-first","maxOutputTokens":9})",
     "5b269cc542e81f1aad302c8a8a4794d7f91c2b4093c3c19026456608b02a1cb8"},
    {"generate", R"({"prompt":"p","plan":"cheapest-first"})",
     "4c93e6830aa12e090da925549d52e41f01934a57a3e33617e7e753d21e04d544"},
    {"generate",
     R"({"prompt":"p","plan":"manual","priority":3,"maxDurationSeconds":9,"cacheControl":"refresh"})",
     "1fda760227fcb3db7f8ecc2e9aead01f55851fbefd5a2858851e731864df84ce"},
    {"generate",
     R"({"prompt":"p","outputSchema":{"kind":"http-json","requiredKeys":["a"],"properties":{"a":{"type":"string"}}}})",
     "35e8a785890e05d116e90c3e383c060d9ee7611663018a9b7a28845dc20cb8f0"},
    {"generate/report", preset(), "720879c0cdac5d1fb69cc3ec1afb8bd2807a1169f288fd30b18cd09fd7737c27"},
    {"generate/report", preset(R"(,"instructions":" Be brief. ")"),
     "e3fb2724f889065901599e916934335f3e43743eeab9fb69897955f2d6c280a7"},
    {"generate/report", preset("", R"(,"tenantId":"t","requestId":"r","temperature":0,"model":"m")"),
     "a8deccf5c852cdc5d22c808c4850837d71356437215b3e303ece943295184684"},
    {"generate/report",
     preset("", R"(,"preferredProviders":["a"],"responseMode":"text","maxOutputTokens":9)"),
     "720879c0cdac5d1fb69cc3ec1afb8bd2807a1169f288fd30b18cd09fd7737c27"},
    {"report", commit(), "720879c0cdac5d1fb69cc3ec1afb8bd2807a1169f288fd30b18cd09fd7737c27"},
    {"report", commit(R"(,"template":" Our words. ")"),
     "dbb635fccbb2588c0870c90b93971bebf555ae11005da20ca619bed40fb95c45"},
    {"report", commit(R"(,"plan":"fastest-first","excludeProviders":["b"],"maxOutputTokens":9)"),
     "720879c0cdac5d1fb69cc3ec1afb8bd2807a1169f288fd30b18cd09fd7737c27"},
};

TEST(KeptRequests, HaveTheKeysTheyHad) {
    for (const Kept& kept : kKept)
        EXPECT_EQ(jobs::cacheKeyOf(read(kept), "", true), kept.key) << kept.kind << ": " << kept.body;
    const Kept plain{"generate", R"({"prompt":"p","tenantId":"t"})"}, report{"report", commit()};
    EXPECT_EQ(jobs::cacheKeyOf(read(plain), "", false),
              "3cc5164d87efc772541030a2bffd81f5c25521455a1488f3e2e6168137f3bff9");
    EXPECT_EQ(jobs::cacheKeyOf(read(report), "", false),
              "720879c0cdac5d1fb69cc3ec1afb8bd2807a1169f288fd30b18cd09fd7737c27");
    EXPECT_EQ(jobs::cacheKeyOf(read(plain), "the client's", true),
              "d3343869ab5db2ccd117183b5309075a35a610d0169f9042e3812f60870038ff");
    EXPECT_EQ(jobs::cacheKeyOf(read(report), "the client's", true),
              "cb9bf1288264fe4a0a8c59c879dd66825e0c3b6d1d7cf216cc9091744f8952f5");
}

TEST(KeptRequests, AreStoredByTheNamesTheyHad) {
    for (const Kept& kept : kKept) {
        if (kept.kind == kOfALaterVersion) continue;
        const auto door = kept.kind == "report" ? RequestKind::Report : RequestKind::Generate;
        const auto parsed = parseRequest(door, kept.body);
        ASSERT_TRUE(parsed.ok()) << kept.body;
        EXPECT_EQ(name(parsed->kind), kept.kind) << kept.body;
        EXPECT_EQ(jobs::requestKindOf(kept.kind), parsed->kind) << kept.kind;
    }
}

TEST(KeptRequests, AreCountedAsTheyWere) {
    const auto counted = [](const Kept& kept) {
        const auto request = read(kept);
        const auto labels = request.labels();
        return std::string(labels.preset) + ' ' + std::string(labels.response_mode) + " of '" +
               std::string(engine::tenantOf(request)) + "'";
    };
    EXPECT_EQ(counted({"generate", R"({"prompt":"p","tenantId":"t"})"}), "generic json of 't'");
    EXPECT_EQ(counted({"generate", R"({"prompt":"p","responseMode":"text"})"}), "generic text of ''");
    EXPECT_EQ(counted({"generate/report", preset("", R"(,"tenantId":"t")")}), "commit-report json of 't'");
    EXPECT_EQ(counted({"generate/report", preset("", R"(,"responseMode":"text")")}),
              "commit-report json of 'u'");
    EXPECT_EQ(counted({"report", commit()}), "commit-report json of 'u'");
}

}  // namespace
}  // namespace stepper::api
