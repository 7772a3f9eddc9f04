// A provider plugin that takes the whole process down once a request with the marker has been answered. To
// others it is one POST to {base_url}/generic.
#include <cstdlib>

#include "stepper/kit/session.hpp"

namespace {
namespace sdk = stepper::sdk;
namespace kit = stepper::kit;

constexpr std::string_view kMarker = "POISON";

class Session final : public kit::HttpSession {
public:
    Session(sdk::Request request, bool deadly) : HttpSession(std::move(request)), deadly_(deadly) {}

private:
    sdk::Action onWhole(const kit::Value& answer, const sdk::Event& event) override {
        if (deadly_) std::abort();
        const auto* result = kit::find(answer, "result");
        text(event, result ? kit::string(*result, "text") : std::string());
        finish(event, "stop");
        return conclude(event);
    }

    const bool deadly_;
};

class Provider final : public sdk::Provider {
public:
    explicit Provider(std::string_view config_json)
        : base_url_(kit::string(kit::parse(config_json), "base_url")) {}

    std::unique_ptr<sdk::Session> begin(int32_t job, std::string_view request_json) const override {
        if (job != STEPPER_JOB_GENERATE) return nullptr;
        sdk::Request request;
        request.url = base_url_ + "/generic";
        request.headers = {{"content-type", "application/json"}};
        request.body = std::string(request_json);
        return std::make_unique<Session>(std::move(request), request_json.find(kMarker) != request_json.npos);
    }

private:
    const std::string base_url_;
};

}  // namespace

STEPPER_PLUGIN(Provider, "poison", "1.0.0", R"({"type":"object","required":["base_url"]})",
               STEPPER_CAP_UNLOADABLE)
