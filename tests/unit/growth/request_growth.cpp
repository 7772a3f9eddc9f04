// What clients send: bodies, templates, texts with secrets.
#include "core/api/batch_request.h"
#include "core/base/canonical_json.h"
#include "core/jobs/identity.h"
#include "core/prompt/template.h"
#include "core/secrets/redact.h"
#include "tests/unit/growth/growth.h"

namespace stepper::growth {
namespace {

std::string number(size_t i) { return std::to_string(i); }
std::string members(const std::vector<std::string>& names) {
    return "{" + joined(names.size(), [&](size_t i) { return asJson(names[i]) + ":0"; }) + "}";
}
std::string members(size_t count, const std::string& value = "0") {
    return "{" + joined(count, [&](size_t i) { return "\"k" + number(i) + "\":" + value; }) + "}";
}

Work generating(std::string body) {
    return [b = std::move(body)] { static_cast<void>(api::parseRequest(api::RequestKind::Generate, b)); };
}
Work batching(std::string body) {
    return [b = std::move(body)] { static_cast<void>(api::parseBatch(b, 100'000, 10)); };
}
Work reporting(std::string body) {
    return [b = std::move(body)] { static_cast<void>(api::parseRequest(api::RequestKind::Report, b)); };
}

std::string withMetadata(const std::string& metadata) {
    return R"({"prompt":"x","metadata":)" + metadata + "}";
}
std::string templated(const std::string& text, const std::string& rest) {
    return R"({"prompt":{"template":)" + asJson(text) + "}," + rest + "}";
}
std::string placeholders(size_t count) {
    std::string out;
    for (size_t i = 0; i < count; ++i) out += "{{payload.k" + number(i) + "}}";
    return out;
}

std::string conversation(size_t count, const std::string& text, const std::string& payload,
                         const std::string& more = "") {
    const std::string message = R"({"role":"user","content":)" + asJson(text) + more + "}";
    return R"({"system":"s","messages":[)" + joined(count, [&](size_t) { return message; }) +
           R"(],"payload":)" + payload + "}";
}

const Rows kBodies = {
    {"Members", 40'000, [](size_t n) { return generating(withMetadata(members(n))); }},
    {"CollidingMembers", 16'000,
     [](size_t n) { return generating(withMetadata(members(collidingKeys(n)))); }},
    {"UnknownMembers", 20'000,
     [](size_t n) { return generating(R"({"prompt":"x",)" + members(n).substr(1)); }},
    {"Depth", 1'000'000, [](size_t n) { return generating(withMetadata(repeated("[", n))); }},
    {"LongNamesAndMembers", 2'000,
     [](size_t n) {
         return generating(R"({"prompt":"x","outputSchema":{"kind":"http-json","properties":{")" +
                           std::string(400 * n, 'A') + R"(":{"type":"object","properties":)" +
                           members(n, R"({"type":"string","stray":1})") + "}}}}");
     }},
    {"LongNamesAndSchemas", 2'000,
     [](size_t n) {
         return generating(R"({"prompt":"x","outputSchema":{"kind":"json-schema","schema":{"properties":{")" +
                           std::string(400 * n, 'A') + R"(":{"properties":)" + members(n, "{}") + "}}}}}");
     }},
    {"Placeholders", 40'000,
     [](size_t n) { return generating(templated(repeated("{{payload.a}}", n), R"("payload":{"a":"b"})")); }},
    {"PlaceholdersAndMembers", 10'000,
     [](size_t n) { return generating(templated(placeholders(n), R"("payload":)" + members(n))); }},
    {"PlaceholdersOfAllThereIs", 4'000,
     [](size_t n) {
         return generating(templated(repeated("{{payload}}", n), R"("payload":)" + members(n)));
     }},
    {"Messages", 1'000, [](size_t n) { return generating(conversation(n, "some words", "{}")); }},
    {"MessagesAndMembers", 1'000,
     [](size_t n) { return generating(conversation(n, "{{payload.k1}}", members(40 * n))); }},
    {"MessagesOfAllThereIs", 1'000,
     [](size_t n) { return generating(conversation(n, "{{payload}}", members(40 * n))); }},
    {"MessagesWithRemarks", 1'000,
     [](size_t n) { return generating(conversation(n, "x", "{}", R"(,"stray":1)")); }},
    {"PlaceholdersWithoutEnd", 400'000,
     [](size_t n) { return generating(templated(repeated("{{", n), R"("payload":1)")); }},
    {"BracesThatOnlyClose", 400'000,
     [](size_t n) { return generating(templated(repeated("}}", n), R"("payload":1)")); }},
    {"ProviderNames", 20'000,
     [](size_t n) {
         return generating(R"({"prompt":"x","preferredProviders":[)" +
                           joined(n, [](size_t i) { return "\"p" + number(i) + "\""; }) + "]}");
     }},
    {"BatchItems", 1'000,
     [](size_t n) {
         return batching(
             R"({"items":[)" +
             joined(n,
                    [](size_t i) { return R"({"id":"i)" + number(i) + R"(","request":{"prompt":"x"}})"; }) +
             "]}");
     }},
    {"CollidingBatchItems", 16'000,
     [](size_t n) {
         const auto keys = collidingKeys(n);
         return batching(R"({"items":[)" +
                         joined(n,
                                [&](size_t i) {
                                    return R"({"id":)" + asJson(keys[i]) + R"(,"request":{"prompt":"x"}})";
                                }) +
                         "]}");
     }},
    {"BatchItemsWithRemarks", 1'000,
     [](size_t n) {
         return batching(R"({"items":[)" +
                         joined(n,
                                [](size_t i) {
                                    return R"({"id":"i)" + number(i) +
                                           R"(","request":{"prompt":"x","stray":1}})";
                                }) +
                         "]}");
     }},
    {"FilesOfACommit", 2'000,
     [](size_t n) {
         return reporting(R"({"userId":"u","commitSha":"c","repo":"r","message":"m","diffSummary":"",)"
                          R"("files":[)" +
                          joined(n, [](size_t i) { return "\"src/f" + number(i) + "\""; }) +
                          R"(],"components":[]})");
     }},
    {"MembersThatAreNull", 40'000,
     [](size_t n) -> Work {
         return [body = members(n, "null")] { static_cast<void>(jobs::meaningOf("generate", body)); };
     }},
    {"MembersInCanonicalOrder", 40'000,
     [](size_t n) -> Work {
         auto body = std::make_shared<const json::Document>(std::move(json::parse(members(n)).value()));
         return [body] { static_cast<void>(canonicalJson(*body)); };
     }},
    {"LargeIntegers", 20'000,
     [](size_t n) -> Work {
         return [body = members(n, "9007199254740993")] {
             static_cast<void>(jobs::meaningOf("generate", body));
         };
     }},
};
STEPPER_GROWTH_ROWS(Body, kBodies);

Row redacting(std::string dimension, size_t size, std::string piece) {
    return {std::move(dimension), size, [piece = std::move(piece)](size_t n) -> Work {
                return [text = repeated(piece, n)] { static_cast<void>(secrets::redact(text)); };
            }};
}

const Rows kSecrets = {
    redacting("Words", 40'000, "some words, "),
    redacting("OneWord", 400'000, "a"),
    redacting("Assignments", 40'000, "password="),
    redacting("Quotes", 40'000, "password=\""),
    redacting("QuotesOfTwoKinds", 40'000, "password='token=\\\""),
    redacting("EscapedQuotes", 40'000, "password=\\\\\\\""),
    redacting("Urls", 40'000, "https://user:"),
    redacting("UrlsWithoutEnd", 40'000, "a://"),
    redacting("BlockScalars", 40'000, "password: |\n  a\n"),
    redacting("Elements", 40'000, "<password>"),
    redacting("JsonWebTokens", 40'000, "eyJhbGciOiJI."),
    redacting("JsonWebTokensInARow", 80'000, "eyJ"),
    redacting("Keys", 40'000, "sk-abcdefgh"),
    redacting("KeysWithDots", 40'000, "sk-a."),
    redacting("PrivateKeys", 20'000, "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n"),
    redacting("Authorizations", 20'000, "Authorization: Bearer "),
    redacting("Commands", 20'000, "curl -u a:b \\\n"),
    redacting("Options", 20'000, "--password "),
    redacting("Pairs", 20'000, "{\"name\":\"DB_PASS\",\"value\":\""),
    redacting("Blanks", 200'000, " "),
    redacting("Signs", 200'000, "@"),
    redacting("Colons", 200'000, ":"),
};
STEPPER_GROWTH_ROWS(SecretsIn, kSecrets);

}  // namespace
}  // namespace stepper::growth
