// @NAME@: POST {base_url}/chat/completions, answered whole or as server-sent events.
//
// The plugin does no I/O. Stepper hands a session one event after the other (START, HEAD, DATA..., END) and
// does what it answers: send this, go on, done, or failed with a class that says what can be done about it.
// kit::HttpSession keeps the books and reads error responses, Retry-After in every form included. Left to
// write is what your provider does differently.
#include "stepper/kit/session.hpp"

namespace {
namespace sdk = stepper::sdk;
namespace kit = stepper::kit;

// One attempt at one request. Never retries: a FAIL tells Stepper enough to do that, or to ask another
// provider.
class Session final : public kit::HttpSession {
public:
    explicit Session(sdk::Request request) : HttpSession(std::move(request)) {}

private:
    // The whole answer: {"choices":[{"message":{"content":"..."},"finish_reason":"stop"}],"usage":{...}}
    sdk::Action onWhole(const kit::Value& json, const sdk::Event& event) override {
        if (!kit::at(json, "/choices/0")) return badResponse("the response has no choices");
        read(json, "message", event);
        return conclude(event);  // DONE, unless the answer is empty or was cut off
    }

    // One event of a stream; [DONE] and errors never get here. Some servers send the whole answer as one
    // event.
    sdk::Action onChunk(std::string_view, const kit::Value& json, const sdk::Event& event) override {
        read(json, kit::at(json, "/choices/0/message") ? "message" : "delta", event);
        return sdk::Action::more();
    }

    // Your provider has errors that the kit's table cannot know? Override onRefused; `failure` holds what it
    // made of this one:
    //   sdk::Action onRefused(sdk::Failure failure, const kit::Value& body, const sdk::Event&) override;

    void read(const kit::Value& json, std::string_view name, const sdk::Event& event) {
        if (const kit::Value* usage = kit::object(json, "usage"))
            kit::emitUsage(event, {kit::integer(*usage, "prompt_tokens"),
                                   kit::integer(*usage, "completion_tokens"),
                                   kit::integer(*usage, "total_tokens"),
                                   {},
                                   {}});
        const kit::Value* choice = kit::at(json, "/choices/0");
        if (!choice) return;
        if (const kit::Value* message = kit::object(*choice, name))
            text(event, kit::string(*message, "content"));
        if (const auto reason = kit::string(*choice, "finish_reason"); !reason.empty()) finish(event, reason);
    }
};

// One block of providers.yaml. Many threads call begin at once, so nothing changes after the constructor.
class Provider final : public sdk::Provider {
public:
    // {"name","base_url","model","options":{...}}; what kConfigSchema demands has been checked.
    explicit Provider(std::string_view config_json) {
        const kit::Document config = kit::parse(config_json);
        base_url_ = kit::string(config, "base_url");
        model_ = kit::string(config, "model");
        while (base_url_.ends_with('/')) base_url_.pop_back();
        if (base_url_.empty()) throw sdk::ConfigError("base_url is empty");
    }

    // The request comes shaped as OpenAI's chat completions, with nothing in it that the provider may not
    // see.
    std::unique_ptr<sdk::Session> begin(int32_t job, std::string_view request_json) const override {
        if (job != STEPPER_JOB_GENERATE) return nullptr;
        kit::Document body = kit::parse(request_json);
        if (!kit::array(body, "messages")) throw std::invalid_argument("the request has no messages");
        if (kit::string(body, "model").empty()) kit::set(body, "model", model_, body.GetAllocator());
        sdk::Request request;
        request.url = base_url_ + "/chat/completions";
        request.headers = {{"content-type", "application/json"}};
        request.body = kit::dump(body);
        const bool stream = kit::boolean(body, "stream").value_or(false);
        request.body_mode = stream ? STEPPER_BODY_SSE : STEPPER_BODY_WHOLE;
        request.auth_mode = STEPPER_AUTH_BEARER;  // where Stepper puts the key, which the plugin never sees
        return std::make_unique<Session>(std::move(request));
    }

private:
    std::string base_url_, model_;
};

constexpr char kConfigSchema[] = R"({
  "type": "object",
  "required": ["base_url"],
  "properties": {
    "base_url": {"type": "string", "minLength": 1},
    "model": {"type": "string"},
    "options": {"type": "object", "additionalProperties": false}
  }
})";

}  // namespace

STEPPER_PLUGIN(Provider, "@NAME@", "0.1.0", kConfigSchema, STEPPER_CAP_STREAM | STEPPER_CAP_UNLOADABLE)
