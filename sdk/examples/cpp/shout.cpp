// A whole provider in C++: POST {base_url}/shout {"rules": ..., "text": ...} answers {"shouted": ...}. The
// rules are the system text; without one there are none.
#include "stepper/kit/session.hpp"

namespace {
namespace sdk = stepper::sdk;
namespace kit = stepper::kit;

// One POST; kit::HttpSession turns everything but a good answer into the right failure.
class Shout final : public kit::HttpSession {
public:
    explicit Shout(sdk::Request request) : HttpSession(std::move(request)) {}

private:
    sdk::Action onWhole(const kit::Value& answer, const sdk::Event& event) override {
        const auto shouted = kit::string(answer, "shouted");
        if (shouted.empty()) return badResponse("no \"shouted\" in the answer");
        text(event, shouted);
        finish(event, "stop");
        return conclude(event);
    }
};

class Provider final : public sdk::Provider {
public:
    explicit Provider(std::string_view config_json) {
        const kit::Document config = kit::parse(config_json);
        base_url_ = kit::string(config, "base_url");
        if (base_url_.empty()) throw sdk::ConfigError("base_url is required");
    }

    std::unique_ptr<sdk::Session> begin(int32_t job, std::string_view request_json) const override {
        if (job != STEPPER_JOB_GENERATE) return nullptr;
        const kit::ChatRequest chat = kit::readChat(request_json, "");
        kit::Document body(rapidjson::kObjectType);
        if (!chat.system.empty()) kit::set(body, "rules", chat.system, body.GetAllocator());
        kit::set(body, "text", chat.turns.empty() ? std::string{} : chat.turns.back().text(),
                 body.GetAllocator());
        sdk::Request request;
        request.url = base_url_ + "/shout";
        request.headers = {{"content-type", "application/json"}};
        request.body = kit::dump(body);
        return std::make_unique<Shout>(std::move(request));
    }

private:
    std::string base_url_;
};

}  // namespace

STEPPER_PLUGIN(Provider, "shout", "1.0.0", R"({"type":"object","required":["base_url"]})",
               STEPPER_CAP_UNLOADABLE)
