// Cohere's chat API, v2 and the older v1. What it does and its options: README.md.
#include "config_schema.hpp"
#include "request.hpp"
#include "response.hpp"
#include "stepper/kit/session.hpp"

namespace {

namespace kit = stepper::kit;
namespace sdk = stepper::sdk;

std::vector<std::string> warningsAbout(const kit::ChatRequest& chat) {
    if (chat.temperature.value_or(0) <= 1) return {};
    return {"temperature was lowered to 1, the most Cohere takes"};
}

class Cohere final : public sdk::Provider {
public:
    explicit Cohere(std::string_view config_json) : config_(config_json) {
        v1_ = config_.word("api", "") == "v1";
        if (v1_ && kit::find(config_.options(), "thinking_budget"))
            throw sdk::ConfigError("options: thinking_budget needs api: v2");
        const std::string_view base = config_.baseUrl();
        server_ = cohere::serverUrl(base.empty() ? "https://api.cohere.com" : base);
    }

    std::unique_ptr<sdk::Session> begin(int32_t job, std::string_view request_json) const override {
        if (job == STEPPER_JOB_GENERATE) return generate(request_json);
        // A page holds 20 models unless asked otherwise, embedders among them.
        if (job == STEPPER_JOB_MODELS) return list(job, "?page_size=1000&endpoint=chat");
        if (job == STEPPER_JOB_PROBE) return list(job, "");
        return nullptr;
    }

private:
    std::unique_ptr<sdk::Session> list(int32_t job, std::string_view query) const {
        sdk::Request r;
        r.url = server_ + "/v1/models" + std::string(query);
        return std::make_unique<kit::ModelList>(std::move(r), job, "/models", "name");
    }

    std::unique_ptr<sdk::Session> generate(std::string_view request_json) const {
        const kit::ChatRequest chat = kit::readChat(request_json, config_.model());
        if (chat.model.empty())
            throw std::invalid_argument("neither the request nor the configuration names a model");
        sdk::Request r;
        r.url = server_ + (v1_ ? "/v1/chat" : "/v2/chat");
        r.headers = {{"content-type", "application/json"}};
        r.body = v1_ ? cohere::bodyV1(chat, config_.options()) : cohere::bodyV2(chat, config_.options());
        if (chat.stream) r.body_mode = v1_ ? STEPPER_BODY_LINES : STEPPER_BODY_SSE;
        if (v1_) return std::make_unique<cohere::AnswerV1>(std::move(r), chat.model, warningsAbout(chat));
        return std::make_unique<cohere::AnswerV2>(std::move(r), chat.model, warningsAbout(chat));
    }

    const kit::Config config_;
    bool v1_ = false;
    std::string server_;
};

}  // namespace

STEPPER_PLUGIN(Cohere, "cohere", "1.0.0", kConfigSchema,
               STEPPER_CAP_STREAM | STEPPER_CAP_TOOLS | STEPPER_CAP_VISION | STEPPER_CAP_JSON_SCHEMA |
                   STEPPER_CAP_PROBE | STEPPER_CAP_UNLOADABLE)
