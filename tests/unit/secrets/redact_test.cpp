#include "core/secrets/redact.h"

#include <ctime>

#include <gtest/gtest.h>

#include "core/base/text.h"

namespace stepper::secrets {
namespace {

struct Case {
    std::string text;
    std::string redacted;
};

// Written apart so that no scanner takes the test for a leak.
std::string joined(std::string_view a, std::string_view b) { return std::string(a) + std::string(b); }

std::string pem(std::string_view label, std::string_view body) {
    return "-----BEGIN " + std::string(label) + "-----" + std::string(body) + "-----END " +
           std::string(label) + "-----";
}

TEST(Redact, KnownTokenFormats) {
    const std::string body36 = "abcdefghijklmnopqrstuvwxyz0123456789";
    const Case cases[] = {
        {joined("AKIA", "IOSFODNN7EXAMPLE"), "aws-access-key-id"},
        {joined("ASIA", "IOSFODNN7EXAMPLE"), "aws-access-key-id"},
        {joined("ghp_", body36), "github-token"},
        {joined("gho_", body36), "github-token"},
        {joined("ghs_", body36), "github-token"},
        {joined("github_pat_", "11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789"), "github-token"},
        {joined("glpat-", "abcdefghij0123456789"), "gitlab-token"},
        {joined("xoxb-", "123456789012-123456789012-abcdefABCDEF"), "slack-token"},
        {joined("xapp-", "1-A012-345-abcdef"), "slack-token"},
        {joined("sk_live_", "abcdefghijklmnop12345678"), "stripe-key"},
        {joined("rk_test_", "abcdefghijklmnop12345678"), "stripe-key"},
        {joined("whsec_", "abcdefghijklmnop12345678"), "stripe-key"},
        {joined("sk-", "abcdefghijklmnop12345678"), "openai-key"},
        {joined("sk-proj-", "abc_DEF-ghijklmnop12345678"), "openai-key"},
        {joined("sk-ant-", "api03-abcdefghijklmnop"), "anthropic-key"},
        {joined("AIza", "SyA1234567890abcdefghijklmnopqrstuv"), "google-key"},
        {joined("AQ.", "Ab8RN6abcdefghijklmnopqrstuvwxyz"), "google-key"},
        {joined("hf_", "abcdefghijklmnopqrstuvwxyzABCDEFGH"), "huggingface-token"},
        {joined("gsk_", body36 + "ABCDEFGHIJKLMNOP"), "groq-key"},
        {joined("nvapi-", body36 + "-_ABCDEFGH"), "nvidia-key"},
        {joined("xai-", body36 + "ABCDEFGH"), "xai-key"},
        {joined("eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27uhbUJU1p1r"), "jwt"},
        {joined("eyJhbGciOiJub25lIn0.", "eyJzdWIiOiIxMjM0In0."), "jwt"},
    };
    for (const auto& c : cases) {
        const std::string mark = "[REDACTED:" + c.redacted + "]";
        EXPECT_EQ(redact(c.text), mark);
        EXPECT_EQ(redact("see " + c.text + ", then"), "see " + mark + ", then");
        EXPECT_EQ(redact("\n-" + c.text + "\n+" + c.text), "\n-" + mark + "\n+" + mark) << "in a diff";
        EXPECT_EQ(redact("\"a\\n" + c.text + "\""), "\"a\\n" + mark + "\"") << "in a JSON string";
        EXPECT_EQ(redact("API_TOKEN=" + c.text + "\n"), "API_TOKEN=" + mark + "\n")
            << "the format names the kind";
        EXPECT_EQ(redact("x" + c.text), "x" + c.text) << "inside a word";
    }
}

TEST(Redact, PrivateKeys) {
    const std::string lines = "\nMIIEpAIBAAKCAQEA75vP5qZQ0123456789abcdefghijklmn\nqwertyuiop==\n";
    const std::string mark = "[REDACTED:private-key]";
    EXPECT_EQ(redact("a " + pem("RSA PRIVATE KEY", lines) + " b"), "a " + mark + " b");
    EXPECT_EQ(redact(pem("PRIVATE KEY", lines)), mark);
    EXPECT_EQ(redact(pem("PGP PRIVATE KEY BLOCK", "\nVersion: GnuPG v2\n" + lines)), mark);
    EXPECT_EQ(redact(pem("EC PRIVATE KEY", "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n" + lines)),
              mark);
    EXPECT_EQ(redact(R"("k": "-----BEGIN PRIVATE KEY-----\nMIIE\nabc=\n-----END PRIVATE KEY-----\n")"),
              R"("k": ")" + mark + R"(\n")");
    EXPECT_EQ(redact("------BEGIN PRIVATE KEY-----\n-MIIEabc\n------END PRIVATE KEY-----\n"),
              "-" + mark + "\n")
        << "a removed file";
    EXPECT_EQ(redact("-----BEGIN RSA PRIVATE KEY-----" + lines), mark) << "cut off before its end";

    for (const std::string& kept :
         {pem("CERTIFICATE", lines), pem("PUBLIC KEY", lines),
          std::string("has(\"-----BEGIN PRIVATE KEY-----\") && { x(\"-----END PRIVATE KEY-----\") }"),
          std::string("-----BEGIN PRIVATE KEY-----\nis the first line of such a file.")})
        EXPECT_EQ(redact(kept), kept);
}

TEST(Redact, CredentialsInHeadersAndUrls) {
    const Case cases[] = {
        {"Authorization: Bearer abcdefgh", "Authorization: Bearer [REDACTED:bearer-token]"},
        {"'authorization': 'bearer abc.def~ghi+/='", "'authorization': 'bearer [REDACTED:bearer-token]'"},
        {"Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [REDACTED:basic-credentials]"},
        {"sent Bearer abcdefgh12345678 upstream", "sent Bearer [REDACTED:bearer-token] upstream"},
        {"Authorization: Bearer " + joined("ghp_", "abcdefghijklmnopqrstuvwxyz0123456789"),
         "Authorization: Bearer [REDACTED:github-token]"},
        {"postgres://app:s3cr3t@db:5432/x", "postgres://app:[REDACTED:url-password]@db:5432/x"},
        {"redis://:p@ss@host", "redis://:[REDACTED:url-password]@host"},
    };
    for (const auto& c : cases) EXPECT_EQ(redact(c.text), c.redacted);
}

TEST(Redact, SecretsAssignedToNames) {
    const Case cases[] = {
        {"password=hunter2", "password=[REDACTED:password]"},
        {"password: hunter2\nuser: x", "password: [REDACTED:password]\nuser: x"},
        {"DB_PASSWORD=MyPassword123", "DB_PASSWORD=[REDACTED:password]"},
        {"+API_KEY=abcd1234efgh5678\n", "+API_KEY=[REDACTED:api-key]\n"},
        {"const apiKey = \"abcd1234efgh5678\";", "const apiKey = \"[REDACTED:api-key]\";"},
        {"x-api-key: abcd1234efgh5678", "x-api-key: [REDACTED:api-key]"},
        {R"({"client_secret":"abcd1234efgh","a":1})", R"({"client_secret":"[REDACTED:secret]","a":1})"},
        {R"("{\"password\": \"pa\\\"ss123\"}")", R"("{\"password\": \"[REDACTED:password]\"}")"},
        {R"({"password":"pa\"ss123"})", R"({"password":"[REDACTED:password]"})"},
        {"passwd='S3cret!'", "passwd='[REDACTED:password]'"},
        {"password = 'p@ssWord'", "password = '[REDACTED:password]'"},
        {"password := \"hunter22\"", "password := \"[REDACTED:password]\""},
        {"env[\"AUTH_TOKEN\"] = \"abc123def456\"", "env[\"AUTH_TOKEN\"] = \"[REDACTED:token]\""},
        {"https://h/p?token=abc123def456&x=1", "https://h/p?token=[REDACTED:token]&x=1"},
        {"BOT_TOKEN=123456:ABC-DEF1234", "BOT_TOKEN=[REDACTED:token]"},
        {"secret = 9f86d081884c7d659a2feaa0c55ad015", "secret = [REDACTED:secret]"},
        {"aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
         "aws_secret_access_key = [REDACTED:aws-secret-key]"},
        {"token2 = 550e8400-e29b-41d4-a716-446655440000", "token2 = [REDACTED:token]"},
    };
    for (const auto& c : cases) EXPECT_EQ(redact(c.text), c.redacted);
}

TEST(Redact, LeavesOrdinaryTextAlone) {
    const char* cases[] = {
        "token = nextToken()",
        "token = tokens2[index]",
        "token = parser.next2Token;",
        "const token = token2;",
        "token = auth0::makeToken1(x)",
        "def sign(private_key: ed25519.Ed25519PrivateKey, data)",
        "password: string",
        "password: string;",
        "password?: string2,",
        "function login(user: string, password: Secret2) {",
        "login(password=password1, user=u)",
        "password = input(\"Enter your password: \")",
        "password: \"Password must have 8 characters\"",
        "apiKey: process.env.API_KEY2",
        "api_key = os.environ[\"KEY1\"]",
        "token: user.auth0Token\n",
        "token: ${{ secrets.TOKEN1 }}",
        "API_KEY=${API_KEY_V2:-}",
        "API_KEY=<your-key-1>",
        "password = \"{{ variables.pw1 }}\"",
        "max_tokens: 4096",
        "tokenizer = \"cl100k_base\"",
        "passwordField = \"field12345\"",
        "OLDPWD=/home/user1",
        "token_url: https://host/v1/token2",
        "if (token == token2) return Token::kSecret1;",
        "std::token::password1x2y3z",
        "the secret: see chapter 12",
        "task-force-sk-1234 disk-1234567890abcdef1234",
        "class=\"sk-loading-spinner-wrapper-inner\"",
        "hf_hub_download_and_something_else_entirely_1",
        "AKIA",
        "AKIAIOSFODNN7EXAMPLETOOLONG",
        "eyJ.eyJ.x and eyJhbGciOi",
        "Bearer authentication is used; Bearer of bad news",
        "Authorization: Bearer <token>",
        "Authorization: Bearer ${token}",
        "http://localhost:8080/a@b",
        "mail user@host:22",
        "https://user:${PASS}@host/",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "commit 9f86d081884c7d659a2feaa0c55ad015",
        "a = b == c; x := y; k => v; 日本語: 値",
        "-----",
        "=:=:",
        "token=",
        "token=\"",
        "token=\\",
        "password:\\\"",
        "",
    };
    for (const char* text : cases) EXPECT_EQ(redact(text), text);
}

TEST(Redact, LeavesItsOwnMarksAlone) {
    const std::string once =
        redact("password=hunter2 redis://:pass1@h Bearer abcdefgh12345678 token: \"abc12345\" " +
               joined("AKIA", "IOSFODNN7EXAMPLE"));
    EXPECT_EQ(redact(once), once);
    EXPECT_EQ(once.find("hunter2"), std::string::npos);
}

TEST(Redact, StaysLinearOnLongRunsOfAnything) {
    const char* units[] = {"token:",
                           "token=",
                           "token=\"",
                           "token='\\",
                           "token=\\\"",
                           "token=:",
                           "password:\t",
                           "eyJ",
                           "eyJabcdefgh.",
                           "eyJabcdef-",
                           "sk-",
                           "-sk-ant-",
                           "-----BEGIN PRIVATE KEY-----",
                           "-----BEGIN PRIVATE KEY-----\nQUJD",
                           "-----END ",
                           "-",
                           "://a:",
                           "://a:b@",
                           "Bearer ",
                           "authorization: ",
                           "authorization=",
                           "AKIA",
                           "glc_/",
                           "hooks.slack.com/services/",
                           "AQ.",
                           "a",
                           "=",
                           " ",
                           "\\",
                           "\"",
                           "日",
                           "hf_",
                           "sk-a.",
                           "SG.a.",
                           "://a:b/",
                           "://a:b/c@",
                           "<token>",
                           "('token','",
                           "name: token\n value: ",
                           "token: |\n ",
                           "token: >\n aaaaaaaa\n",
                           "A_TOKEN=",
                           "curl -u ",
                           " -u a:",
                           " --token ",
                           "password 'a",
                           "login a password ",
                           "identified by 'a",
                           "MMMMMMMMMMMMMMMMMMMMMMMM.",
                           "12345678:AA",
                           "\n"};
    for (const char* unit : units) {
        std::string text;
        while (text.size() < (1u << 18)) text += unit;
        const std::clock_t start = std::clock();
        const std::string out = redact(text);
        const auto seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
        // A quadratic scan takes minutes; the margin is for sanitizers.
        EXPECT_LT(seconds, 5) << unit;
        EXPECT_TRUE(isValidUtf8(out));
    }
}

}  // namespace
}  // namespace stepper::secrets
