// Any JSON-over-HTTP API, described wholly by its options: README.md.
#include <memory>
#include <string_view>

#include "answer.hpp"
#include "config_schema.hpp"
#include "errors.hpp"
#include "request.hpp"
#include "stepper/kit/config.hpp"

namespace http_template {
namespace {

class HttpTemplate final : public sdk::Provider {
public:
    explicit HttpTemplate(std::string_view config_json)
        : config_(config_json),
          options_(&config_.options(), "options"),
          request_(options_, config_.baseUrl()),
          answer_(options_),
          errors_(options_) {}

    std::unique_ptr<sdk::Session> begin(int32_t job, std::string_view request_json) const override {
        if (job != STEPPER_JOB_GENERATE) return nullptr;
        const kit::ChatRequest chat = kit::readChat(request_json, config_.model());
        return std::make_unique<Answer>(request_.fill(chat), answer_, errors_, request_.leftOut(chat));
    }

private:
    const kit::Config config_;
    const Block options_;
    const RequestTemplate request_;
    const AnswerSpec answer_;
    const ErrorRules errors_;
};

}  // namespace
}  // namespace http_template

STEPPER_PLUGIN(http_template::HttpTemplate, "http-template", "1.0.0", kConfigSchema,
               STEPPER_CAP_STREAM | STEPPER_CAP_JSON_SCHEMA | STEPPER_CAP_UNLOADABLE)
