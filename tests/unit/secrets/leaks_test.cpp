// What must not leave and what must arrive as it was, as people write it. The names in brackets are public
// reports of secret scanners and redactors that got a case wrong.
#include <set>

#include <gtest/gtest.h>

#include "core/secrets/redact.h"
#include "core/secrets/shapes.h"

namespace stepper::secrets {
namespace {

struct Leak {
    std::string text, secret;
};

const std::string k32 = "3b7cd727ee24e8444053437c36cc66c3", k24 = "a1B2c3D4e5F6g7H8i9J0k1L2";

// Token formats, written apart so that no scanner takes this file for a leak.
const std::pair<std::string, std::string> kTokens[] = {
    {"pplx-", "1a2b3c4d5e6f7g8h9i0jklmnopqrstuvwx12345678901234"},  // NVIDIA/NemoClaw#1970
    {"csk-", "92kx4hm3v6n8p5t2c9w4y6e3r8m5k2j4h6d9f3x7"},
    {"r8_", "1234567890abcdefghijklmnopqrstuvwxyzA"},
    {"tgp_v1_", "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_abcde"},
    {"npm_", "1234567890abcdefghijklmnopqrstuvwxyz"},
    {"pypi-", "AgEIcHlwaS5vcmcCJDE2ZjU1YzY2LTQyYjUtNGY5Yi05ZjQ5LTQ0"},
    {"dckr_pat_", "27-sQYkpQ5tC2bCY1x3wU9zYx0A"},
    {"SG.",
     "ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr"},  // NousResearch/hermes-agent#58167
    {"sk-sp-", "f4k3t0k3n4t3std4t4.part2xyz.part3tail"},  // NousResearch/hermes-agent#78128
    {"glpat-", "w5pM2kQ9xN7rT3vB6cL1.01.0w1abcdef"},
    {"hooks.slack.com/services/", "T01234567/B01234567/Xy9zAb12Cd34Ef56Gh78Ij90"},
    {"discord.com/api/webhooks/", "123456789012345678/AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEf"},
    {"hvs.", "CAESIJlU02LQZq3f2Vt0bGTxZ1o2P3r4S5t6U7v8W9x0Y1z2"},
    {"dop_v1_", "3a5f8c9d2e1b4a6f7c8d9e0f1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b"},
    {"shpat_", "1234567890abcdef1234567890abcdef"},
    {"lin_api_", "abcDEF1234567890abcDEF1234567890abcdEF12"},
    {"dapi", "1234567890abcdef1234567890abcdef"},
    {"GOCSPX-", "1a2b3c4d5e6f7g8h9i0jklmnopqr"},
    {"ya29.", "a0AfH6SMBx1y2z3a4b5c6d7e8f9g0"},
    {"123456789:", "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"},
    {"MTIzNDU2Nzg5MDEyMzQ1Njc4", ".GaBcDe.AbCdEfGhIjKlMnOpQrStUvWxYz0123456789ab"},
    {"ops_eyJ", "zaWduSW5BZGRyZXNzIjoibXkuMXBhc3N3b3JkLmNvbSIsInVzZXJBdXRoIjp7Im1ldGhvZCI6IlNS"},
    {"AGE-SECRET-KEY-1", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE"},
    {"tskey-auth-", "kAbCdE1CNTRL-AbCdEfGhIjKlMnOpQrStUvWx"},
    {"sntrys_", "eyJpYXQiOjE2ODczMzY1NDMuNjk4NTksInVybCI6bnVsbCwicmVnaW9uX3VybCI6"},
    {"key-", "3ax6xnjp29jd6fds4gc373sgvjxteol0"},
    {"SK", "0123456789abcdef0123456789abcdef"},
    {"ABSK", std::string(60, 'Q') + "1" + std::string(60, 'k')},
    {"xkeysib-", "3a5f8c9d2e1b4a6f7c8d9e0f1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b"},
    {"pcsk_", "5abcde_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKl"},
};

TEST(Leaks, TokensOfEveryFormatGoWhole) {
    for (auto [prefix, body] : kTokens) {
        if (prefix == "key-") body = k32;
        const std::string token = prefix + body;
        const std::string mark =
            "[REDACTED:" + std::string(tokenAt(token, 0).value_or(Secret{0, 0, "?"}).kind) + "]";
        EXPECT_EQ(redact(token), mark) << "nothing is left of " << prefix;
        EXPECT_EQ(redact("+ '" + token + "',\n"), "+ '" + mark + "',\n");
    }
    // What grows longer than it is known to be leaves no tail (opena2a-org/secretless-ai#133).
    EXPECT_EQ(redact(std::string("ghp") + "_" + k32 + k32 + "_x-y"), "[REDACTED:github-token]");
}

TEST(Leaks, NoShapeHidesAnother) {
    std::set<std::string_view> seen;
    for (const Shape& shape : shapes()) {
        EXPECT_TRUE(seen.insert(shape.prefix).second) << shape.prefix << " is there twice";
        EXPECT_GE(shape.prefix.size(), 2u);
        EXPECT_FALSE(shape.kind.empty());
        std::string body = shape.body == Body::UpperDigit ? "A2" : "a2";
        while (body.size() < shape.min_length) body += body;
        const size_t longest = shape.max_length ? shape.max_length : body.size();
        body.resize(std::min<size_t>(longest, std::max<size_t>(shape.min_length, 2)));
        const std::string token = std::string(shape.prefix) + body;
        const auto found = tokenAt(token, 0);
        ASSERT_TRUE(found) << token;
        EXPECT_EQ(found->kind, shape.kind) << token << ": a longer prefix stands before a shorter one";
        EXPECT_EQ(found->end, token.size()) << token;
    }
}

const Leak kLeaks[] = {
    // Names
    {"DB_PASS=hunter2Secret99", "hunter2"},
    {"MYSQLPASS=hunter22", "hunter22"},
    {"auth: { user: 'me', pass: 'Xk39fj20dkLm' }", "Xk39fj"},
    {"smtpPass: \"Xk39fj20\"", "Xk39fj"},
    {"SECRET_KEY_BASE=" + k32, k32},
    {"ENCRYPTION_KEY=" + k32, k32},
    {"APP_KEY=base64:7HqVtD2Qm3c1lB8r0aJxw5yZk9u2n4p6s8t0v2x4z6A=", "7HqVtD"},
    {"+  NEXTAUTH_KEY: " + k32 + "\n", k32},
    {"DJANGO_SIGNING_KEY='" + k24 + "'", k24},
    {"jwtSigningKey: '" + k24 + "'", k24},
    {"password = \"correcthorsebatterystaple\"", "correcthorse"},
    {"passphrase: \"correcthorsebatterystaple\"", "correcthorse"},
    {R"({"loginId":"admin","password":"GitHub!23"})", "GitHub!23"},           // gitleaks/gitleaks#1999
    {"password = 8ThyF#1*@96%dYt!xWHDxdYf\n", "8ThyF#"},                      // gitleaks/gitleaks#1958
    {"password=1234567890123456789012345678901", "12345678901234"},           // gitleaks/gitleaks#447
    {"sasl_password=LIkaITK744sG54VgABW/+p4NXFr", "LIkaITK744"},              // gitleaks/gitleaks#1336
    {"auth_key=836e3fdd362bdc7d\nauth_secret=3ec93ccfbe14d941", "836e3fdd"},  // Yelp/detect-secrets#430
    {"auth_key=836e3fdd362bdc7d\nauth_secret=3ec93ccfbe14d941", "3ec93ccf"},
    {"tcp_auth_token=" + k24, k24},  // Growth-Circle/cadis#2360
    {"(client_secret=" + k24 + ")", k24},
    {"Data Source=db;User Id=me;Password=SecureP@ss123;", "SecureP@ss123"},  // gitleaks/gitleaks#1715
    {"Uid=me;Pwd=CustP@ss123;Encrypt=True", "CustP@ss123"},
    {"\"DbConnString\": \"secret=123&password=p@55w0rd\"", "p@55w0rd"},  // gitleaks/gitleaks#1319
    {"//npm.example/:_authToken=" + k32, k32},
    {"//registry.example/:_auth=bXl1c2VyOm15cGFzc3dvcmQxMjM=", "bXl1c2"},
    {"\"auth\": \"bXl1c2VyOm15cGFzc3dvcmQxMjM=\"", "bXl1c2"},
    {"{\"auths\":{\"ghcr.io\":{\"auth\":\"bXl1c2VyOm15cGFzc3dvcmQxMjM=\"}}}", "bXl1c2"},
    {"AccountKey=" + k32 + k32 + "==;EndpointSuffix=core", k32},
    {"SharedAccessKey=" + k32 + "=", k32},
    // Ways to write an assignment
    {"password: >-\n  hunter2Secret99\n", "hunter2"},
    {"+password: |\n+  hunter2Secret99\n+other: x\n", "hunter2"},
    {"token: |-\n    " + k24 + "\n    " + k32 + "\nnext: 1\n", k32},
    {"DB_PASSWORD=ab(c1&d2;e3\nX=1", "d2;e3"},
    {"export DB_PASSWORD=p,a1<s>s{w}d\n", "s>s{w}d"},
    {"ENV DB_PASSWORD=pa|ss1word&x9\n", "x9"},
    {"define('DB_PASSWORD', 'pa55-word');", "pa55"},
    {"os.environ.setdefault(\"SECRET_KEY\", \"" + k24 + "\")", k24},
    {"<password>hunter2x</password>", "hunter2x"},  // Yelp/detect-secrets#270
    {"<db:password>hunter2x</db:password>", "hunter2x"},
    {"<add key=\"DbPassword\" value=\"hunter2x\" />", "hunter2x"},
    {"- name: DB_PASSWORD\n  value: hunter2x\n", "hunter2x"},
    {R"({"name": "API_TOKEN", "value": ")" + k24 + "\"}", k24},
    {"'password' => 'pa55word',", "pa55word"},
    {"mytool --password hunter2Secret99 run", "hunter2"},
    {"mytool --api-key '" + k24 + "'", k24},
    {"mytool --token=" + k24, k24},
    {"CREATE USER me IDENTIFIED BY 'hunter2x';", "hunter2x"},
    {"ALTER ROLE me WITH PASSWORD 'hunter2x';", "hunter2x"},
    // Commands and files that are known
    {"curl -u admin:hunter2Secret99 https://x.example", "hunter2"},
    {"curl -s https://x.example \\\n  --user 'admin:hunter2 Secret99'", "hunter2"},
    {"curl -uadmin:hunter2 https://x.example", "hunter2"},
    {"curl --proxy-user=me:hunter2 https://x.example", "hunter2"},
    {"sshpass -p 'hunter2' ssh me@host", "hunter2"},
    {"mysql -u root -phunter2 db", "hunter2"},
    {"docker login -u me -p hunter2 ghcr.io", "hunter2"},
    {"redis-cli -h cache -a hunter2 ping", "hunter2"},
    {"machine api.github.com login me password hunter2Secret99", "hunter2"},
    {"machine api.github.com\n\tlogin me\n\tpassword correcthorse\n", "correcthorse"},
    // Headers
    {"-H 'Authorization: Token " + k32 + "'", k32},
    {"Authorization: ApiKey " + k24, k24},
    {"\"authorization\": \"" + k24 + "\"", k24},
    {"Proxy-Authorization: Basic dXNlcjpwYXNz", "dXNlcj"},
    {"Authorization: Digest username=\"me\", response=\"x\", token=\"" + k24 + "\"", k24},
    {"X-Vault-Token: " + k24, k24},
    // URLs
    {"postgres://user:s3cr/3tPw@db:5432/x", "s3cr/3tPw"},
    {"amqp://user:s3cr#3tPw@mq", "s3cr#3tPw"},
    {"mysql://user:s3cr?3tPw@db/x", "s3cr?3tPw"},
    {"mongodb+srv://me:p%40ss%2Fword@c0.mongodb.net/?w=1", "p%40ss"},
    {"redis://:hunter2@cache:6379/0", "hunter2"},  // Daily-Nerd/daimon#132
    {"https://x-access-token:" + k24 + "@github.com/a/b", k24},
    {"<a href=\"http://me:hunter2@h\">http://me:hunter2@h</a>",
     "hunter2"},  // trufflesecurity/trufflehog#3686
};

TEST(Leaks, MustNotLeave) {
    for (const auto& [text, secret] : kLeaks) {
        ASSERT_NE(text.find(secret), std::string::npos) << text;
        const std::string out = redact(text);
        EXPECT_EQ(out.find(secret), std::string::npos) << out;
        EXPECT_NE(out.find("[REDACTED:"), std::string::npos) << out;
        EXPECT_EQ(redact(out), out) << "what was redacted stays as it is";
    }
    EXPECT_EQ(redact("token: |-\n    " + k24 + "\nnext: 1\n"), "token: |-\n    [REDACTED:token]\nnext: 1\n");
    EXPECT_EQ(redact("Authorization: Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"),
              "Authorization: Basic [REDACTED:basic-credentials]");
    EXPECT_EQ(redact("postgres://user:s3cr/3tPw@db:5432/x"),
              "postgres://user:[REDACTED:url-password]@db:5432/x");
}

const char* const kStays[] = {
    // Placeholders and references
    "API_KEY=your-api-key-here-123",
    "OPENAI_API_KEY=sk-...",
    "token: xxxxxxxx-xxxx-xxxx",
    "password: '********'",                                            // Yelp/detect-secrets#426
    "AWS_SECRET_ACCESS_KEY=****************************************",  // awslabs/ferret-scan#522
    "IDENTITY_TOKEN=\"bailu\"",                                        // NousResearch/hermes-agent#96607
    "--override-tensor per_layer_token_embd.weight=CPU",
    "password = \"changeme123\"",
    "api_key: \"<your_api_key_1>\"",
    "secret: \"${SECRET_2}\"",
    "DB_PASSWORD=$DB_PASSWORD_2",
    "DB_PASSWORD=${DB_PASSWORD_2:-}",
    "DB_PASSWORD=%DB_PASSWORD2%",
    "password={{ vault_password_2 }}",
    "token: ${{ secrets.NPM_TOKEN_2 }}",
    "password: process.env.DB_USER_PWD2,",  // Yelp/detect-secrets#273
    "password: process.env['DB_PWD2'],",
    "api_key = os.getenv(\"KEY_2\")",
    "apiKey: import.meta.env.VITE_KEY_2,",
    "TOKEN=$(cat /run/secrets/token2)",
    "SECRET_KEY_BASE=REPLACE_WITH_64_HEX",
    "curl -u \"$USER:$PASS\" https://x.example",
    "curl -u user:<password> https://x.example",
    "https://some_user:$SOME_BASH_VARIABLE@some.website.com",  // trufflesecurity/trufflehog#894
    "https://${username}:${password}/etc/etc",                 // trufflesecurity/trufflehog#209
    "https://me:%2A%2A%2A%2A%2A%2A@host/x",                    // trufflesecurity/trufflehog#1489
    "postgres://user:password@localhost:5432/db",
    "`https://user:pass@sub.example.com:8080/p?query=string#hash`",
    "Authorization: Bearer your-token-here-12345",
    "machine api.github.com login me password <token>",
    // Code
    "password = getPassword()",
    "PASSWORD=getPassword()",
    "const token = await getToken2(user);",
    "anyPasswordLikeVariable: config.MySecretPasswordVariable,",                   // Yelp/detect-secrets#629
    "data = JSON.stringify {service_key: pagerDutyServiceApiKey, event_type: 1}",  // Yelp/detect-secrets#430
    "$this->privateKey = new PrivateKey($keys['privatekey2']);",
    "def login(password: str, token: Optional[str] = None) -> Token2:",
    "interface Login { password: string; apiKey?: string }",
    "<input type=\"password\" name=\"password_confirmation\" value=\"\">",
    "if (key == 'Enter' && pass == 2) return;",
    "let pass = 0; let bypass = \"abc12345\"; const compass: \"north123\"",
    "tokens = tokenizer.encode(\"hello 2 you\")",
    "std::string token = parser.next_token(\"x1y2z3w4\");",
    "items = [\"password\", \"password1\", \"token2abc\"]",
    "setText(\"password\", R.string.label2)",
    "<string name=\"password_label\">Password2</string>",
    "\"forgotPassword\": \"Passwort vergessen 2\"",
    "passwordRepeatedConfirmation = \"passwordconfirmation\"",
    "--password string   the password2 of the user",
    "docker run -u 1000:1000 -p 8080:8080 image",
    "ssh -p 2222 me@host; cp -u a:b c; ls -a hidden2",
    "echo mysql; mysql -p -u root",
    // Names that only look like a secret's
    "tokenizationId: 'f865288c97ca4913887373728b8dfc4c'",  // gitleaks/gitleaks#1219
    "public_key = \"Gc3Q0RXJM2CUNbgKpUMnkPtOfOzeFzsW\"",   // gitleaks/gitleaks#1578
    "PUBLIC_KEY=Gc3Q0RXJM2CUNbgKpUMnkPtOfOzeFzsW",
    "MantleAPI_version=9a038989604e8da62ecddbe2094b16ce1b778be1",
    "LLM_SECRET_NAME = \"NEXUS-GPT4-API-KEY\"",
    "keyword\t= \"Befaehigung_P2\"",
    "<Object mapKey=\"R648-MF-DEPARTURE\" />",
    "monkeys-audio:mx64-uwp=fail",
    "api_key_env = \"MY_SECRET1\"",                              // gitleaks/gitleaks#1857
    "QUESTIONNAIRE_DB_PASSWORD=\nQUESTIONNAIRE_DB_ENABLED=1\n",  // gitleaks/gitleaks#1828
    "MYSQL_ALLOW_EMPTY_PASSWORD=yes",                            // prowler-cloud/prowler#4893
    "GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D",
    "CACHE_KEY=user-1234-profile-v2-long-enough",
    "PRIMARY_KEY=order_2024_id_column_77",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbC123\n",
    "\"key\": \"a1B2c3D4e5F6g7H8i9J0k1L2\"",
    "\"auth\": \"required-for-all-2-routes\"",
    "max_tokens=4096&tokens_used=123456789",
    "username/password combination.",  // gitleaks/gitleaks#877
    // What is random and public
    "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    "index 83db48f..bf2a5c1 100644",
    "id: 550e8400-e29b-41d4-a716-446655440000",
    "github.com/a/b/auth v0.5.11 h1:P6bYXFoao05z5uhOQzbC3Qd8JqF3jUoocoTeIxkp2cA=",  // semgrep/semgrep-rules#2877
    "\"integrity\": "
    "\"sha512-GDHVin2EJ9PGJ33VMGlqtPcvUlY+pkTbaWs4jWv8oBaEK8UUBzS5ZpEc4xi7Xp5vIXnVsCSLKNC6==\"",  // gitleaks/gitleaks#538
    "integrity=\"sha256-PbaYLBab86/uCEz3diunGMEYvjah3uDFIiID+jAtIfw=\"",  // Yelp/detect-secrets#312
    "<img "
    "src=\"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/"
    "w38GIAXDIBKE0DHx\">",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7vbqajDhA me@host",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "etag: W/\"5f-a1b2c3d4e5f6a7b8c9d0\"",
    "CSS: .sk-fading-circle-1 .hf_header { top: 2px }; api-v2-users-list",
    "task-key-12345 risk-2024-assessment-report-17",
    // URLs without a password
    "http://localhost:3001/@whatever/path/more",  // ntoskernel/deepsecrets#4
    "https://example.com:8443/users/me@example.com",
    "see https://docs.example/auth#token:refresh and mailto:me@host",
    "git@github.com:owner/repo.git ssh://git@host:22/x",
    "https://medium.com/@name/post-2 and npm i @scope/pkg@1.2.3",
};

TEST(Leaks, MustArriveAsItWas) {
    for (const char* text : kStays) EXPECT_EQ(redact(text), text);
}

TEST(Leaks, TablesAreAsLargeAsTheyShouldBe) {
    EXPECT_GE(std::size(kLeaks) + std::size(kTokens), 90u);
    EXPECT_GE(std::size(kStays), 80u);
}

TEST(Leaks, NamesThatConfigurationsMask) {
    for (const char* name :
         {"api_key", "apiKey", "X-Api-Key", "DB_PASS", "Authorization", "cookie", "client_secret",
          "SECRET_KEY_BASE", "passphrase", "auth_token", "credentials", "hf_token", "pwd"})
        EXPECT_TRUE(isSecretName(name)) << name;
    for (const char* name : {"model", "base_url", "path", "author", "temperature", "compass", "headers"})
        EXPECT_FALSE(isSecretName(name)) << name;
}

TEST(Leaks, Placeholders) {
    for (const char* value :
         {"your-api-key-here", "YOUR_KEY", "<key>", "xxxxxxxx", "changeme", "sk-...", "...", "REPLACE_ME",
          "put-key-here", "sk-xxxxxxxx-placeholder", "insert-key", "sk-your-key-here"})
        EXPECT_TRUE(isPlaceholder(value)) << value;
    for (const char* value :
         {"sk-abc123", "k-test", "gsk_a1b2c3", "ollama", "youth2024", "AIzaSyA1", "11111111"})
        EXPECT_FALSE(isPlaceholder(value)) << value;
}

}  // namespace
}  // namespace stepper::secrets
