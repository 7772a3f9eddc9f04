// Anthropic's Messages API: POST {base_url}/v1/messages.
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config_schema.hpp"
#include "request.hpp"
#include "stepper/kit/session.hpp"

namespace anthropic {
namespace {

class Messages final : public kit::HttpSession {
public:
    Messages(sdk::Request request, std::vector<std::string> warnings)
        : HttpSession(std::move(request)), warnings_(std::move(warnings)) {}

private:
    sdk::Action onWhole(const Value& json, const sdk::Event& ev) override {
        const Value* content = kit::array(json, "content");
        if (!content) return badResponse("the response has no content");
        readHead(json, ev);
        for (const Value& block : content->GetArray()) {
            startBlock(block, ev);
            stopBlock();
        }
        readStop(json, ev);
        return onStreamEnd(ev);
    }

    sdk::Action onChunk(std::string_view, const Value& json, const sdk::Event& ev) override {
        const std::string_view type = kit::string(json, "type");
        if (type == "message") return onWhole(json, ev);
        if (const Value* message = kit::object(json, "message"); message && type == "message_start") {
            startOver(ev);
            readHead(*message, ev);
        }
        if (const Value* block = kit::object(json, "content_block"); block && type == "content_block_start")
            startBlock(*block, ev);
        if (const Value* delta = kit::object(json, "delta"); delta && type == "content_block_delta")
            readDelta(*delta, ev);
        if (type == "content_block_stop") stopBlock();
        if (const Value* delta = kit::object(json, "delta"); delta && type == "message_delta") {
            readUsage(json, ev);
            readStop(*delta, ev);
        }
        return sdk::Action::more();
    }

    sdk::Action onStreamEnd(const sdk::Event& ev) override {
        if (!refusal_.empty())
            return sdk::Action::fail(STEPPER_E_CONTENT_BLOCKED, "the model refused: " + refusal_, status());
        for (const std::string& call : tool_calls_) toolCall(ev, call);
        return conclude(ev);
    }

    // A gateway that asked again upstream puts a second message behind what came of the first.
    void startOver(const sdk::Event& ev) {
        withdrawText(ev);
        refusal_.clear();
        tool_calls_.clear();
        tool_id_.clear();
        tool_name_.clear();
        tool_arguments_.clear();
        usage_ = {};
        input_.reset();
        written_to_cache_.reset();
    }

    void readHead(const Value& message, const sdk::Event& ev) {
        kit::emitMeta(ev, kit::string(message, "model"), kit::string(message, "id"), warnings_);
        readUsage(message, ev);
    }

    // Later counts replace earlier ones; what a report leaves out keeps its value.
    void readUsage(const Value& from, const sdk::Event& ev) {
        const Value* usage = kit::object(from, "usage");
        if (!usage) return;
        const auto update = [](std::optional<int64_t>& count, const Value& in, std::string_view name) {
            if (const auto n = kit::integer(in, name)) count = n;
        };
        update(input_, *usage, "input_tokens");
        update(written_to_cache_, *usage, "cache_creation_input_tokens");
        update(usage_.cached, *usage, "cache_read_input_tokens");
        update(usage_.completion, *usage, "output_tokens");
        if (const Value* details = kit::object(*usage, "output_tokens_details"))
            update(usage_.reasoning, *details, "thinking_tokens");
        if (input_) usage_.prompt = *input_ + written_to_cache_.value_or(0) + usage_.cached.value_or(0);
        kit::emitUsage(ev, usage_);
    }

    void readStop(const Value& from, const sdk::Event& ev) {
        const std::string_view reason = kit::string(from, "stop_reason");
        if (reason.empty()) return;
        if (reason == "refusal") {
            const Value* why = kit::at(from, "/stop_details/explanation");
            refusal_ = why && why->IsString() ? kit::presentable(kit::view(*why)) : "no explanation given";
        }
        finish(ev, reason);
    }

    // A block of a whole message is complete when it starts; a streamed one grows by deltas.
    void startBlock(const Value& block, const sdk::Event& ev) {
        const std::string_view type = kit::string(block, "type");
        if (type == "text") text(ev, kit::string(block, "text"));
        if (type == "thinking") reasoning(ev, kit::string(block, "thinking"));
        if (type != "tool_use") return;
        tool_id_ = kit::string(block, "id");
        tool_name_ = kit::string(block, "name");
        const Value* input = kit::object(block, "input");
        tool_arguments_ = input && !input->ObjectEmpty() ? kit::dump(*input) : "";
    }

    void readDelta(const Value& delta, const sdk::Event& ev) {
        text(ev, kit::string(delta, "text"));
        reasoning(ev, kit::string(delta, "thinking"));
        tool_arguments_ += kit::string(delta, "partial_json");
    }

    void stopBlock() {
        if (tool_name_.empty()) return;
        Document call(rapidjson::kObjectType);
        auto& a = call.GetAllocator();
        kit::set(call, "id", tool_id_, a);
        kit::set(call, "type", "function", a);
        kit::set(
            call, "function",
            objectOf({{"name", tool_name_}, {"arguments", tool_arguments_.empty() ? "{}" : tool_arguments_}},
                     a),
            a);
        tool_calls_.push_back(kit::dump(call));
        tool_name_.clear();
    }

    std::vector<std::string> warnings_;
    kit::Usage usage_;
    std::optional<int64_t> input_, written_to_cache_;
    std::string refusal_, tool_id_, tool_name_, tool_arguments_;
    std::vector<std::string> tool_calls_;  // complete ones
};

class Anthropic final : public sdk::Provider {
public:
    explicit Anthropic(std::string_view config_json) : profile_(config_json) {}

    std::unique_ptr<sdk::Session> begin(int32_t job, std::string_view request_json) const override {
        if (job == STEPPER_JOB_PROBE || job == STEPPER_JOB_MODELS)
            return std::make_unique<kit::ModelList>(profile_.request("/v1/models"), job);
        if (job != STEPPER_JOB_GENERATE) return nullptr;
        const kit::ChatRequest chat = kit::readChat(request_json, profile_.model);
        if (chat.model.empty())
            throw std::invalid_argument(
                "no model: name one in the request or in the provider's configuration");
        std::vector<std::string> warnings;
        sdk::Request r = profile_.request("/v1/messages");
        r.body = kit::dump(messagesRequest(profile_, chat, warnings));
        r.body_mode = chat.stream ? STEPPER_BODY_SSE : STEPPER_BODY_WHOLE;
        return std::make_unique<Messages>(std::move(r), std::move(warnings));
    }

private:
    Profile profile_;
};

}  // namespace
}  // namespace anthropic

STEPPER_PLUGIN(anthropic::Anthropic, "anthropic", "1.0.0", kConfigSchema,
               STEPPER_CAP_STREAM | STEPPER_CAP_TOOLS | STEPPER_CAP_VISION | STEPPER_CAP_JSON_SCHEMA |
                   STEPPER_CAP_PROBE | STEPPER_CAP_UNLOADABLE)
