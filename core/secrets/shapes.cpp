#include "core/secrets/shapes.h"

#include <algorithm>
#include <bitset>
#include <vector>

namespace stepper::secrets {
namespace {

using enum Body;

// Sources of the formats: the vendors' own announcements and the public lists of gitleaks, trufflehog,
// detect-secrets, secretlint and GitHub's secret scanning.
constexpr Shape kShapes[] = {
    // Providers of models
    {"sk-ant-", "anthropic-key", UrlSafe, 10, 0, true},
    {"sk-", "openai-key", UrlSafe, 16, 0, true},
    {"sess-", "openai-key", Alnum, 36, 0, true},
    {"AIza", "google-key", UrlSafe, 30},
    {"AQ.", "google-key", UrlSafe, 20, 0, true},
    {"GOCSPX-", "google-oauth-secret", UrlSafe, 20},
    {"ya29.", "google-oauth-token", UrlSafe, 20},
    {"1//0", "google-oauth-token", UrlSafe, 40},
    {"hf_", "huggingface-token", Alnum, 20},
    {"api_org_", "huggingface-token", Alnum, 30},
    {"gsk_", "groq-key", Alnum, 20},
    {"nvapi-", "nvidia-key", UrlSafe, 20, 0, true},
    {"xai-", "xai-key", Alnum, 20, 0, true},
    {"pplx-", "perplexity-key", Alnum, 32},
    {"csk-", "cerebras-key", Alnum, 32, 0, true},
    {"r8_", "replicate-token", Alnum, 30},
    {"tgp_v1_", "together-key", UrlSafe, 30},
    {"fw_", "fireworks-key", Alnum, 22, 0, true},
    {"fpk_", "fireworks-key", Alnum, 22, 0, true},
    {"jina_", "jina-key", Alnum, 40},
    {"cpk_", "chutes-key", Alnum, 32, 0, true},
    {"tvly-", "tavily-key", UrlSafe, 20, 0, true},
    {"fc-", "firecrawl-key", Hex, 32, 32, true},
    {"pa-", "voyage-key", UrlSafe, 40, 0, true},
    {"pcsk_", "pinecone-key", Word, 40},
    {"lsv2_pt_", "langsmith-key", Word, 32},
    {"lsv2_sk_", "langsmith-key", Word, 32},
    {"wandb_v1_", "wandb-key", Word, 40},
    {"AQVN", "yandex-key", UrlSafe, 35},
    {"sk_", "elevenlabs-key", Hex, 48, 48, true},
    {"bedrock-api-key-", "aws-bedrock-key", Base64, 40},
    {"ABSK", "aws-bedrock-key", Base64, 100},
    // Clouds and hosting
    {"AKIA", "aws-access-key-id", UpperDigit, 16, 16},
    {"ASIA", "aws-access-key-id", UpperDigit, 16, 16},
    {"ABIA", "aws-access-key-id", UpperDigit, 16, 16, true},
    {"ACCA", "aws-access-key-id", UpperDigit, 16, 16, true},
    {"LTAI", "alibaba-access-key-id", Alnum, 16, 26, true},
    {"AKLT", "volcengine-access-key-id", Alnum, 32, 0, true},
    {"AKID", "tencent-secret-id", Alnum, 32, 32, true},
    {"dop_v1_", "digitalocean-token", Hex, 60},
    {"doo_v1_", "digitalocean-token", Hex, 60},
    {"dor_v1_", "digitalocean-token", Hex, 60},
    {"HRKU-", "heroku-key", UrlSafe, 30, 0, true},
    {"fo1_", "flyio-token", UrlSafe, 40, 0, true},
    {"fm1r_", "flyio-token", Base64, 60},
    {"fm1a_", "flyio-token", Base64, 60},
    {"fm2_", "flyio-token", Base64, 60},
    {"nfp_", "netlify-token", Alnum, 36},
    {"rnd_", "render-key", Alnum, 28, 0, true},
    {"sbp_", "supabase-token", Hex, 40},
    {"sb_secret_", "supabase-key", UrlSafe, 20},
    {"pscale_tkn_", "planetscale-token", UrlSafe, 32},
    {"pscale_oauth_", "planetscale-token", UrlSafe, 32},
    {"pscale_pw_", "planetscale-password", UrlSafe, 32},
    {"tk-us-", "scalingo-token", UrlSafe, 48},
    {"dapi", "databricks-token", Hex, 32, 0, true},
    {"vercel_blob_rw_", "vercel-token", Word, 30},
    {"v1.0-", "cloudflare-key", Hex, 24, 24, true},
    {"tskey-", "tailscale-key", UrlSafe, 20, 0, true},
    {"y0_", "yandex-token", UrlSafe, 50},
    // Code and packages
    {"ghp_", "github-token", Alnum, 20},
    {"gho_", "github-token", Alnum, 20},
    {"ghu_", "github-token", Alnum, 20},
    {"ghs_", "github-token", Alnum, 20},
    {"ghr_", "github-token", Alnum, 20},
    {"github_pat_", "github-token", Word, 20},
    {"glpat-", "gitlab-token", UrlSafe, 16},
    {"gldt-", "gitlab-token", UrlSafe, 16},
    {"glrt-", "gitlab-token", UrlSafe, 16},
    {"glptt-", "gitlab-token", UrlSafe, 16},
    {"glcbt-", "gitlab-token", UrlSafe, 16},
    {"glft-", "gitlab-token", UrlSafe, 16, 0, true},
    {"glimt-", "gitlab-token", UrlSafe, 16, 0, true},
    {"glagent-", "gitlab-token", UrlSafe, 30, 0, true},
    {"gloas-", "gitlab-token", UrlSafe, 30, 0, true},
    {"glsoat-", "gitlab-token", UrlSafe, 16, 0, true},
    {"glffct-", "gitlab-token", UrlSafe, 16, 0, true},
    {"GR1348941", "gitlab-token", UrlSafe, 16},
    {"ATATT3", "atlassian-token", UrlSafe, 60},
    {"ATCTT3", "atlassian-token", UrlSafe, 60},
    {"ATBB", "bitbucket-token", Alnum, 28, 0, true},
    {"npm_", "npm-token", Alnum, 36},
    {"pypi-", "pypi-token", UrlSafe, 40, 0, true},
    {"rubygems_", "rubygems-key", Hex, 48},
    {"oy2", "nuget-key", Alnum, 43, 43, true},
    {"CLOJARS_", "clojars-token", Alnum, 60},
    {"dckr_pat_", "docker-token", UrlSafe, 20},
    {"dckr_oat_", "docker-token", UrlSafe, 20},
    {"SWMTKN-1-", "docker-swarm-token", UrlSafe, 40},
    {"AKCp", "artifactory-key", Alnum, 60},
    {"cmVmd", "artifactory-token", Alnum, 59, 59},
    {"bkua_", "buildkite-token", Hex, 40},
    {"CCIPAT_", "circleci-token", Word, 40},
    {"CCIPRJ_", "circleci-token", Word, 40},
    {"sgp_", "sourcegraph-token", Word, 40},
    {"squ_", "sonarqube-token", Hex, 40},
    {"sqp_", "sonarqube-token", Hex, 40},
    {"sqa_", "sonarqube-token", Hex, 40},
    {"API-", "octopus-key", UpperDigit, 25, 26, true},
    // Secrets and infrastructure
    {"hvs.", "vault-token", UrlSafe, 20},
    {"hvb.", "vault-token", UrlSafe, 20},
    {"hvr.", "vault-token", UrlSafe, 20},
    {"dp.pt.", "doppler-token", Alnum, 40},
    {"dp.st.", "doppler-token", UrlSafe, 40},
    {"dp.ct.", "doppler-token", Alnum, 40},
    {"dp.sa.", "doppler-token", Alnum, 40},
    {"dt0c01.", "dynatrace-token", UpperDigit, 24},
    {"dt0s01.", "dynatrace-token", UpperDigit, 8},
    {"ops_eyJ", "onepassword-token", Base64, 60},
    {"A3-", "onepassword-secret-key", UrlSafe, 30, 0, true},
    {"AGE-SECRET-KEY-1", "age-secret-key", UpperDigit, 50},
    {"pul-", "pulumi-token", Hex, 40},
    {"pnu_", "prefect-key", Alnum, 36},
    {"pnb_", "prefect-key", Alnum, 36},
    {"sha256~", "openshift-token", UrlSafe, 43},
    {"ico-", "infracost-key", Alnum, 32, 0, true},
    {"duffel_live_", "duffel-token", UrlSafe, 40},
    {"secret-token:", "secret-token", UrlSafe, 16},
    // Mail, chat and hooks
    {"SG.", "sendgrid-key", UrlSafe, 16},
    {"xkeysib-", "brevo-key", Hex, 60},
    {"xsmtpsib-", "brevo-key", Hex, 60},
    {"key-", "mailgun-key", Hex, 32, 32, true},
    {"re_", "resend-key", Word, 33, 36, true},
    {"SK", "twilio-key", Hex, 32, 32, true},
    {"xoxa-", "slack-token", UrlSafe, 10},
    {"xoxb-", "slack-token", UrlSafe, 10},
    {"xoxc-", "slack-token", UrlSafe, 10},
    {"xoxd-", "slack-token", UrlSafe, 10},
    {"xoxe-", "slack-token", UrlSafe, 10},
    {"xoxe.", "slack-token", UrlSafe, 10},
    {"xoxo-", "slack-token", UrlSafe, 10},
    {"xoxp-", "slack-token", UrlSafe, 10},
    {"xoxr-", "slack-token", UrlSafe, 10},
    {"xoxs-", "slack-token", UrlSafe, 10},
    {"xapp-", "slack-token", UrlSafe, 10, 0, true},
    {"hooks.slack.com/services/", "slack-webhook", Path, 20, 0, true},
    {"hooks.slack.com/workflows/", "slack-webhook", Path, 20, 0, true},
    {"hooks.slack.com/triggers/", "slack-webhook", Path, 20, 0, true},
    {"discord.com/api/webhooks/", "discord-webhook", Path, 40, 0, true},
    {"discordapp.com/api/webhooks/", "discord-webhook", Path, 40, 0, true},
    {"webhook.office.com/webhookb2/", "teams-webhook", Path, 40, 0, true},
    {"hooks.zapier.com/hooks/catch/", "zapier-webhook", Path, 8, 0, true},
    // Money
    {"sk_live_", "stripe-key", Alnum, 10},
    {"sk_test_", "stripe-key", Alnum, 10},
    {"rk_live_", "stripe-key", Alnum, 10},
    {"rk_test_", "stripe-key", Alnum, 10},
    {"whsec_", "stripe-key", Alnum, 16},
    {"EZAK", "easypost-key", Alnum, 50},
    {"EZTK", "easypost-key", Alnum, 50},
    {"FLWSECK_TEST-", "flutterwave-key", Alnum, 12},
    {"FLWSECK-", "flutterwave-key", Alnum, 20},
    {"sq0csp-", "square-secret", UrlSafe, 40},
    {"sq0atp-", "square-token", UrlSafe, 22},
    {"shpat_", "shopify-token", Hex, 32},
    {"shpca_", "shopify-token", Hex, 32},
    {"shppa_", "shopify-token", Hex, 32},
    {"shpss_", "shopify-token", Hex, 32},
    {"shippo_live_", "shippo-token", Hex, 40},
    {"shippo_test_", "shippo-token", Hex, 40},
    // Services
    {"lin_api_", "linear-key", Alnum, 32},
    {"lin_oauth_", "linear-key", Alnum, 32},
    {"ntn_", "notion-token", Alnum, 40},
    {"secret_", "notion-token", Alnum, 43, 43, true},
    {"figd_", "figma-token", UrlSafe, 36},
    {"glc_", "grafana-token", Base64, 32, 0, true},
    {"glsa_", "grafana-token", Word, 36},
    {"PMAK-", "postman-key", UrlSafe, 50},
    {"NRAK-", "newrelic-key", UpperDigit, 27},
    {"NRII-", "newrelic-key", UrlSafe, 32},
    {"sntrys_", "sentry-token", Base64, 40},
    {"sntryu_", "sentry-token", Hex, 60},
    {"phx_", "posthog-key", Alnum, 36},
    {"pat-na1-", "hubspot-token", UrlSafe, 36},
    {"pat-eu1-", "hubspot-token", UrlSafe, 36},
    {"CFPAT-", "contentful-token", UrlSafe, 40},
    {"sk.eyJ", "mapbox-token", UrlSafe, 30},
    {"tfp_", "typeform-token", UrlSafe, 40},
    {"rdme_", "readme-key", Alnum, 60},
    {"p8e-", "adobe-secret", Alnum, 32, 0, true},
    {"dG9rOj", "intercom-token", Base64, 40},
};

// The Bodies that hold a character, a bit each.
constexpr std::array<uint8_t, 256> kBodies = [] {
    std::array<uint8_t, 256> out{};
    for (size_t i = 0; i < out.size(); ++i) {
        const char c = static_cast<char>(i);
        const auto add = [&](Body body, bool holds) {
            if (holds) out[i] |= static_cast<uint8_t>(1u << static_cast<unsigned>(body));
        };
        add(Alnum, isAlnum(c));
        add(Word, isAlnum(c) || c == '_');
        add(UrlSafe, isUrlSafe(c));
        add(UpperDigit, isUpper(c) || isDigit(c));
        add(Hex, isDigit(c) || (lowerOf(c) >= 'a' && lowerOf(c) <= 'f'));
        add(Base64, isUrlSafe(c) || c == '+' || c == '/' || c == '=');
        add(Path, isUrlSafe(c) || c == '/' || c == '.' || c == '=' || c == '@');
    }
    return out;
}();

bool holds(Body body, char c) {
    return (kBodies[static_cast<unsigned char>(c)] >> static_cast<unsigned>(body)) & 1u;
}

size_t pairOf(char a, char b) {
    return static_cast<size_t>(static_cast<unsigned char>(a)) << 8 | static_cast<unsigned char>(b);
}

// Which shapes a word may have, by its first two characters and then by the first.
struct Index {
    std::bitset<1u << 16> pairs;
    std::array<std::vector<const Shape*>, 256> by_first;

    Index() {
        for (const Shape& shape : kShapes) {
            pairs.set(pairOf(shape.prefix[0], shape.prefix[1]));
            by_first[static_cast<unsigned char>(shape.prefix[0])].push_back(&shape);
        }
    }
};

const Index& index() {
    static const Index built;
    return built;
}

// A digit of a token that has one comes early; nothing longer is looked through.
constexpr size_t kDigitWindow = 256;

bool fits(const Shape& shape, std::string_view body, std::string_view rest) {
    if (body.size() < shape.min_length) return false;
    if (shape.max_length != 0 &&
        (body.size() > shape.max_length || (!rest.empty() && (isAlnum(rest[0]) || rest[0] == '_'))))
        return false;
    const std::string_view looked_at = body.substr(0, kDigitWindow);
    return !shape.needs_digit || std::any_of(looked_at.begin(), looked_at.end(), isDigit);
}

// Past everything that belongs to the token. Formats grow: what would be left over of one that became longer,
// or has parts behind dots, is as secret as its beginning.
size_t tokenEnd(std::string_view text, size_t from) {
    for (;;) {
        from = runEnd(text, from, isUrlSafe);
        if (from + 1 >= text.size() || text[from] != '.' || !isAlnum(text[from + 1])) return from;
        ++from;
    }
}

std::optional<Secret> shapeAt(std::string_view text, size_t at) {
    const Index& known = index();
    if (!known.pairs.test(pairOf(text[at], text[at + 1]))) return std::nullopt;
    const std::string_view rest = text.substr(at);
    for (const Shape* shape : known.by_first[static_cast<unsigned char>(text[at])]) {
        if (!rest.starts_with(shape->prefix)) continue;
        const size_t begin = at + shape->prefix.size();
        const auto inside = [&](char c) { return holds(shape->body, c); };
        // Bodies may go over several words, and each of these is tried again.
        const size_t end = runEnd(text.substr(0, begin + kDigitWindow), begin, inside);
        if (fits(*shape, text.substr(begin, end - begin), text.substr(end)))
            return Secret{at, tokenEnd(text, runEnd(text, end, inside)), shape->kind};
    }
    return std::nullopt;
}

constexpr size_t kShortestJwtPart = 8;

// header.payload.signature, each base64url; the first two are JSON objects and therefore begin with "eyJ".
std::optional<Secret> jsonWebToken(std::string_view text, size_t at) {
    const size_t header = runEnd(text, at, isUrlSafe);
    if (header - at < kShortestJwtPart || !text.substr(header).starts_with(".eyJ")) return std::nullopt;
    const size_t payload = runEnd(text, header + 1, isUrlSafe);
    if (payload - header <= kShortestJwtPart) return std::nullopt;
    const bool has_signature = text.substr(payload).starts_with('.');
    return Secret{at, has_signature ? runEnd(text, payload + 1, isUrlSafe) : payload, "jwt"};
}

// The bot's number, a colon, "AA" and 33 more.
std::optional<Secret> telegramToken(std::string_view text, size_t at) {
    const size_t number = runEnd(text, at, isDigit);
    if (number - at < 8 || number - at > 10 || !text.substr(number).starts_with(":AA")) return std::nullopt;
    const size_t end = runEnd(text, number + 1, isUrlSafe);
    if (end - number < 33 || end - number > 40) return std::nullopt;
    return Secret{at, end, "telegram-token"};
}

// The bot's number in base64, a time, a signature.
std::optional<Secret> discordToken(std::string_view text, size_t at) {
    const size_t number = runEnd(text, at, isAlnum);
    if (number - at < 23 || number - at > 28 || !text.substr(number).starts_with('.')) return std::nullopt;
    const size_t time = runEnd(text, number + 1, isUrlSafe);
    if (time - number != 7 || !text.substr(time).starts_with('.')) return std::nullopt;
    const size_t end = runEnd(text, time + 1, isUrlSafe);
    if (end - time < 28 || end - time > 40) return std::nullopt;
    return Secret{at, end, "discord-token"};
}

}  // namespace

std::span<const Shape> shapes() { return kShapes; }

std::optional<Secret> tokenAt(std::string_view text, size_t at) {
    if (at + 1 >= text.size()) return std::nullopt;
    if (auto found = shapeAt(text, at)) return found;
    switch (text[at]) {
        case 'e': return text.substr(at).starts_with("eyJ") ? jsonWebToken(text, at) : std::nullopt;
        case 'M':
        case 'N':
        case 'O': return discordToken(text, at);
        default: return isDigit(text[at]) ? telegramToken(text, at) : std::nullopt;
    }
}

}  // namespace stepper::secrets
