// Any server that speaks POST {base_url}/chat/completions. What differs between servers is options, not code.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config_schema.hpp"
#include "dialect.hpp"
#include "stepper/kit/session.hpp"

namespace compatible {
namespace {

class Chat final : public kit::HttpSession {
public:
    Chat(const Profile& profile, Document body, std::vector<std::string> warnings)
        : HttpSession(requestFor(profile, body)),
          profile_(profile),
          body_(std::move(body)),
          warnings_(std::move(warnings)) {
        if (profile.flag("strip_think", true)) splitReasoning(profile.flag("think_opened", false));
    }

private:
    static sdk::Request requestFor(const Profile& profile, const Document& body) {
        sdk::Request r = profile.request("/chat/completions");
        r.body = kit::dump(body);
        r.body_mode = kit::boolean(body, "stream").value_or(false) ? STEPPER_BODY_SSE : STEPPER_BODY_WHOLE;
        return r;
    }

    sdk::Action onRefused(sdk::Failure failure, const Value& json, const sdk::Event& ev) override {
        if (const Value* usage = kit::object(json, "usage")) readUsage(*usage, ev);
        const bool first = exchangeOver() && !conceded_ && failure.error_class == STEPPER_E_INVALID_REQUEST;
        const std::string warning = first ? concede(body_, failure.message) : "";
        if (warning.empty()) return sdk::Action::fail(std::move(failure));
        conceded_ = true;
        warnings_.push_back(warning);
        return send(requestFor(profile_, body_));
    }

    sdk::Action onWhole(const Value& json, const sdk::Event& ev) override {
        const Value* choice = kit::at(json, "/choices/0");
        if (!choice) return badResponse("the response has no choices");
        if (const Value* first = firstChoice(json)) choice = first;
        readAbout(json, ev);
        const sdk::Action action = readChoice(*choice, ev, true);
        return action.kind == STEPPER_CONTINUE ? onStreamEnd(ev) : action;
    }

    sdk::Action onChunk(std::string_view, const Value& json, const sdk::Event& ev) override {
        readAbout(json, ev);
        const Value* choice = firstChoice(json);
        return choice ? readChoice(*choice, ev, false) : sdk::Action::more();
    }

    // With n > 1 the chunks of all choices are mixed.
    static const Value* firstChoice(const Value& json) {
        const Value* choices = kit::array(json, "choices");
        if (!choices) return nullptr;
        for (const Value& choice : choices->GetArray())
            if (choice.IsObject() && kit::integer(choice, "index").value_or(0) == 0) return &choice;
        return nullptr;
    }

    void readAbout(const Value& json, const sdk::Event& ev) {
        readMeta(json, ev);
        if (const Value* usage = kit::object(json, "usage")) readUsage(*usage, ev);
        if (const Value* usage = kit::at(json, "/x_groq/usage")) readUsage(*usage, ev);
    }

    // Whole bodies call the content message, chunks delta. Some servers send both: of a body the message
    // counts, of a chunk the delta, unless that is empty and nothing was said before, as in a body sent as a
    // chunk.
    sdk::Action readChoice(const Value& choice, const sdk::Event& ev, bool whole) {
        const Value* delta = kit::object(choice, "delta");
        const Value* message = kit::object(choice, "message");
        const bool complete = message && (whole || !delta || !(says(*delta) || heard_));
        if (const Value* content = complete ? message : delta) {
            heard_ = heard_ || says(*content);
            readMessage(*content, ev, complete || whole);
        } else {
            text(ev, kit::string(choice, "text"));
        }
        return readFinish(kit::string(choice, "finish_reason"), ev);
    }

    static bool says(const Value& message) {
        for (const std::string_view name : {"content", "reasoning_content", "reasoning", "refusal"})
            if (const Value* v = kit::find(message, name); v && !(v->IsString() && v->GetStringLength() == 0))
                return true;
        const Value* calls = kit::array(message, "tool_calls");
        return calls && !calls->Empty();
    }

    sdk::Action onStreamEnd(const sdk::Event& ev) override {
        for (ToolCall& call : tool_calls_) emitToolCall(call, ev);
        if (!refusal_.empty())
            return sdk::Action::fail(STEPPER_E_CONTENT_BLOCKED,
                                     "the model refused: " + kit::presentable(refusal_), status());
        return conclude(ev);
    }

    sdk::Action readFinish(std::string_view reason, const sdk::Event& ev) {
        if (reason == "insufficient_system_resource")
            return sdk::Action::fail(STEPPER_E_OVERLOADED,
                                     "the provider ran out of capacity half-way through the answer",
                                     status());
        if (!reason.empty()) finish(ev, reason);
        return sdk::Action::more();
    }

    void readMeta(const Value& json, const sdk::Event& ev) {
        const std::string_view model = kit::string(json, "model"), id = kit::string(json, "id");
        if (meta_sent_ || (model.empty() && id.empty() && warnings_.empty())) return;
        meta_sent_ = true;
        kit::emitMeta(ev, model, id, warnings_);
    }

    void readUsage(const Value& usage, const sdk::Event& ev) {
        const auto either = [&](std::string_view pointer, std::string_view name) {
            const Value* nested = kit::at(usage, pointer);
            return nested && nested->IsInt64() ? std::optional(nested->GetInt64())
                                               : kit::integer(usage, name);
        };
        kit::Usage u{kit::integer(usage, "prompt_tokens"), kit::integer(usage, "completion_tokens"),
                     kit::integer(usage, "total_tokens"),
                     either("/completion_tokens_details/reasoning_tokens", "reasoning_tokens"),
                     either("/prompt_tokens_details/cached_tokens", "prompt_cache_hit_tokens")};
        constexpr int64_t kMost = int64_t{1} << 50;
        for (auto* n : {&u.prompt, &u.completion, &u.total})
            if (*n && (**n < 0 || **n > kMost)) n->reset();
        // What only the total counts was billed as well: reasoning at xAI and Google, or a cached part of the
        // prompt.
        const int64_t known = u.prompt.value_or(0) + u.completion.value_or(0);
        if (u.prompt && u.total && *u.total > known) {
            const int64_t hidden = *u.total - known;
            if (hidden == u.cached && hidden != u.reasoning)
                *u.prompt += hidden;
            else
                u.completion = u.completion.value_or(0) + hidden;
        }
        kit::emitUsage(ev, u);
    }

    void readMessage(const Value& message, const sdk::Event& ev, bool whole) {
        const std::string_view thinking = kit::string(message, "reasoning_content");
        reasoning(ev, thinking.empty() ? kit::string(message, "reasoning") : thinking);
        refusal_ += kit::string(message, "refusal");
        if (const Value* content = kit::find(message, "content")) readContent(*content, ev);
        const Value* calls = kit::array(message, "tool_calls");
        if (!calls || calls->Empty()) return;
        if (whole) return toolCall(ev, kit::dump(*calls));
        for (const Value& fragment : calls->GetArray()) readFragment(fragment);
    }

    void readContent(const Value& content, const sdk::Event& ev) {
        if (content.IsString()) return text(ev, kit::view(content));
        if (!isParts(content)) return text(ev, kit::dump(content));
        for (const Value& part : content.GetArray()) {
            if (const Value* thinking = kit::array(part, "thinking"))
                for (const Value& piece : thinking->GetArray()) reasoning(ev, kit::string(piece, "text"));
            if (kit::string(part, "type") == "text") text(ev, kit::string(part, "text"));
        }
    }

    // Some servers send the value itself that their JSON mode has parsed.
    static bool isParts(const Value& content) {
        return content.IsArray() && std::all_of(content.Begin(), content.End(), [](const Value& part) {
                   return !kit::string(part, "type").empty();
               });
    }

    struct ToolCall {
        Document first;  // the first fragment: id, type, name
        std::string arguments;
    };

    // Streams send a call in fragments: the first has the id and the name, `index` (missing at some) says
    // whose arguments the others continue.
    void readFragment(const Value& fragment) {
        ToolCall& call = callOf(fragment);
        if (const Value* function = kit::object(fragment, "function"))
            call.arguments += kit::string(*function, "arguments");
    }

    ToolCall& callOf(const Value& fragment) {
        const auto index = kit::integer(fragment, "index");
        if (!index && kit::string(fragment, "id").empty() && !tool_calls_.empty()) return tool_calls_.back();
        const size_t next = tool_calls_.size();
        const size_t place = index ? places_.try_emplace(*index, next).first->second : next;
        if (place == next) {
            ToolCall& call = tool_calls_.emplace_back();
            call.first.CopyFrom(fragment, call.first.GetAllocator());
        }
        return tool_calls_[place];
    }

    void emitToolCall(ToolCall& call, const sdk::Event& ev) {
        kit::remove(call.first, "index");
        if (kit::object(call.first, "function"))
            kit::set(call.first["function"], "arguments", call.arguments, call.first.GetAllocator());
        toolCall(ev, kit::dump(call.first));
    }

    const Profile& profile_;
    Document body_;
    std::vector<std::string> warnings_;
    bool conceded_ = false, meta_sent_ = false;
    bool heard_ = false;  // some delta said something
    std::string refusal_;
    std::vector<ToolCall> tool_calls_;
    std::map<int64_t, size_t> places_;  // in tool_calls_, by index
};

class OpenAiCompatible final : public sdk::Provider {
public:
    explicit OpenAiCompatible(std::string_view config_json) : profile_(config_json) {}

    std::unique_ptr<sdk::Session> begin(int32_t job, std::string_view request_json) const override {
        if (job == STEPPER_JOB_PROBE || job == STEPPER_JOB_MODELS)
            return std::make_unique<kit::ModelList>(profile_.request("/models"), job);
        if (job != STEPPER_JOB_GENERATE) return nullptr;
        std::vector<std::string> warnings;
        Document body = dialect(profile_, kit::readChat(request_json, profile_.model()), warnings);
        return std::make_unique<Chat>(profile_, std::move(body), std::move(warnings));
    }

private:
    Profile profile_;
};

}  // namespace
}  // namespace compatible

STEPPER_PLUGIN(compatible::OpenAiCompatible, "openai-compatible", "1.0.0", kConfigSchema,
               STEPPER_CAP_STREAM | STEPPER_CAP_TOOLS | STEPPER_CAP_VISION | STEPPER_CAP_JSON_SCHEMA |
                   STEPPER_CAP_PROBE | STEPPER_CAP_UNLOADABLE)
