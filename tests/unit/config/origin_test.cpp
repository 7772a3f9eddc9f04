// Which origins browsers send, and what the others should have been.
#include "core/config/origin.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/config/support.h"

namespace stepper::config {
namespace {

TEST(Origin, WhatBrowsersSendIsFine) {
    for (const auto* origin :
         {"*", "https://app.example", "http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:5173",
          "https://app.example:8443", "https://xn--mnchen-3ya.example", "chrome-extension://abcdefghijklmnop",
          "capacitor://localhost", "tauri://localhost", "http://app.example:443", "https://app.example:80"})
        EXPECT_EQ(originProblem(origin), std::nullopt) << origin;
}

// spring-projects/spring-framework#26892 (slash), expressjs/cors#201 (case), helidon-io/helidon#12190 (port)
TEST(Origin, WhatNeverMatchesIsToldWithItsCure) {
    constexpr const char* kNull =
        "every sandboxed or local page has the origin null, whoever wrote it; name a real one";
    const std::pair<const char*, const char*> cases[] = {
        {"https://app.example/", "an origin ends with its host and port; write https://app.example"},
        {"https://app.example/shop", "an origin ends with its host and port; write https://app.example"},
        {"https://app.example?x=1", "an origin ends with its host and port; write https://app.example"},
        {"app.example", "it has no scheme; write https://app.example"},
        {"//app.example", "it has no scheme; write https://app.example"},
        {"localhost:3000", "it has no scheme; write https://localhost:3000"},
        {"https://App.example", "browsers write it in lower case; write https://app.example"},
        {"HTTPS://app.example", "browsers write it in lower case; write https://app.example"},
        {"https://app.example:443", "browsers leave out that port; write https://app.example"},
        {"http://app.example:80", "browsers leave out that port; write http://app.example"},
        {"https://app.example:", "it has no valid port after its colon"},
        {"https://app.example:0", "it has no valid port after its colon"},
        {"https://app.example:https", "it has no valid port after its colon"},
        {"https://app.example:70000", "it has no valid port after its colon"},
        {"https://u:p@app.example", "it holds a user name"},
        {"https://*.app.example", "patterns are not supported; list every origin, or \"*\" alone for all"},
        {"http://*", "patterns are not supported; list every origin, or \"*\" alone for all"},
        {"https://m\xC3\xBCnchen.example", "browsers write such a host in ASCII; write its xn-- form"},
        {"https://a(b.example", "that is no host's name; write scheme://host or scheme://host:port"},
        {"https://", "it has no host; write https://app.example.com"},
        {"null", kNull},
        {"Null", kNull},
    };
    for (const auto& [origin, problem] : cases) EXPECT_EQ(originProblem(origin), problem) << origin;
}

TEST(Origin, TheConfigurationIsRefusedAtTheOrigin) {
    const auto one = parseSettings(
        "security:\n  cors:\n    allowed_origins:\n      - https://a.example\n      - https://b.example/\n");
    EXPECT_EQ(problemOf(one),
              "stepper.yaml:5:9: security.cors.allowed_origins[1]: \"https://b.example/\" is no origin "
              "to allow: an origin ends with its host and port; write https://b.example");
    const auto listed =
        parseSettings("security: { cors: { allowed_origins: \"https://a.example, b.example\" } }\n");
    EXPECT_NE(problemOf(listed).find("\"b.example\" is no origin to allow"), std::string::npos);
}

// rs/cors#197, open-webui/open-webui#28971: every site may act with the visitor's credentials.
TEST(Origin, EverybodyWithCredentialsIsRefused) {
    const auto cors = [](bool enabled, std::string_view origins, bool credentials) {
        return parseSettings(fmt::format(
            "security:\n  cors: {{ enabled: {}, allowed_origins: [{}], allow_credentials: {} }}\n", enabled,
            origins, credentials));
    };
    for (const auto* origins : {"\"*\"", "https://a.example, \"*\""})
        EXPECT_NE(problemOf(cors(true, origins, true)).find("allow_credentials: is on while"),
                  std::string::npos)
            << origins;
    EXPECT_TRUE(cors(true, "\"*\"", false).ok());
    EXPECT_TRUE(cors(true, "https://a.example", true).ok());
    EXPECT_TRUE(cors(false, "\"*\"", true).ok());
}

}  // namespace
}  // namespace stepper::config
