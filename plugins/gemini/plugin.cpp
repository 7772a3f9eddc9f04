// Google Gemini, generateContent of the v1beta API. What it does and its options: README.md.
#include "config_schema.hpp"
#include "generation.hpp"
#include "request.hpp"
#include "stepper/kit/session.hpp"

namespace {

namespace kit = stepper::kit;
namespace sdk = stepper::sdk;

class Gemini final : public sdk::Provider {
public:
    explicit Gemini(std::string_view config_json) : config_(config_json) {
        if (kit::find(config_.options(), "thinking_budget") && kit::find(config_.options(), "thinking_level"))
            throw sdk::ConfigError(
                "options: thinking_budget (Gemini 2.5) and thinking_level (Gemini 3 and newer) exclude each "
                "other");
        const std::string_view base = config_.baseUrl();
        models_url_ = gemini::modelsUrl(base.empty() ? "https://generativelanguage.googleapis.com" : base);
    }

    std::unique_ptr<sdk::Session> begin(int32_t job, std::string_view request_json) const override {
        if (job == STEPPER_JOB_GENERATE) return generate(request_json);
        // A page holds 50 models unless asked otherwise.
        if (job == STEPPER_JOB_MODELS) return list(job, "?pageSize=1000");
        if (job == STEPPER_JOB_PROBE) return list(job, "");
        return nullptr;
    }

private:
    sdk::Request request(std::string url) const {
        sdk::Request r;
        r.url = std::move(url);
        // Google refuses a request with two credentials, so never Authorization as well.
        r.auth_mode = STEPPER_AUTH_HEADER;
        r.auth_name = "x-goog-api-key";
        return r;
    }

    std::unique_ptr<sdk::Session> list(int32_t job, std::string_view query) const {
        return std::make_unique<kit::ModelList>(request(models_url_ + std::string(query)), job, "/models",
                                                "name");
    }

    std::unique_ptr<sdk::Session> generate(std::string_view request_json) const {
        const kit::ChatRequest chat = kit::readChat(request_json, config_.model());
        if (chat.model.empty())
            throw std::invalid_argument("neither the request nor the configuration names a model");
        const std::string_view method = chat.stream ? ":streamGenerateContent?alt=sse" : ":generateContent";
        sdk::Request r = request(models_url_ + "/" + gemini::modelPath(chat.model) + std::string(method));
        r.headers = {{"content-type", "application/json"}};
        r.body = gemini::requestBody(chat, config_.options());
        // Google breaks a stream off with bare JSON, which is no event and which an SSE parser would drop.
        if (chat.stream) r.body_mode = STEPPER_BODY_LINES;
        return std::make_unique<gemini::Generation>(std::move(r));
    }

    const kit::Config config_;
    std::string models_url_;
};

}  // namespace

STEPPER_PLUGIN(Gemini, "gemini", "1.0.0", kConfigSchema,
               STEPPER_CAP_STREAM | STEPPER_CAP_TOOLS | STEPPER_CAP_VISION | STEPPER_CAP_JSON_SCHEMA |
                   STEPPER_CAP_PROBE | STEPPER_CAP_UNLOADABLE)
