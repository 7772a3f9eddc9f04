// A Hugging Face Space: one's own app behind POST /api/infer, or any Gradio app. What it does and its
// options: README.md.
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "answer.hpp"
#include "config_schema.hpp"
#include "gradio.hpp"
#include "settings.hpp"
#include "space_session.hpp"

namespace hfspace {
namespace {

// POST {base_url}/api/infer {"prompt"}
class Infer final : public SpaceSession {
public:
    Infer(const Settings& settings, const kit::ChatRequest& chat)
        : SpaceSession(settings, requestFor(settings, promptOf(chat)), settings.wake_attempts) {
        readsOnlyTextOf(chat);
        splitReasoning();
    }

private:
    static sdk::Request requestFor(const Settings& settings, std::string_view prompt) {
        Document body(rapidjson::kObjectType);
        auto& a = body.GetAllocator();
        kit::set(body, "prompt", prompt, a);
        kit::setAll(body, settings.extra_body, a);
        return settings.post("/api/infer", body);
    }

    sdk::Action onWhole(const Value& json, const sdk::Event& ev) override {
        const std::string answer = inferText(json);
        if (answer.empty())
            return badResponse(
                "the response has no text in report, output, text, response, generated_text, result or "
                "data[0]");
        text(ev, answer);
        finish(ev, "stop");
        return answered(ev);
    }

    sdk::Action onRefused(sdk::Failure failure, const Value& json, const sdk::Event& ev) override {
        // Gradio answers a POST to its own /api/infer by asking for `data`, or does not know it.
        const bool no_data = status() == 422 && kit::contains(failure.message, "body.data:");
        if (no_data || (status() == 404 && !json.IsNull()) || status() == 405)
            failure.message += "; if the Space is a Gradio app, set options.mode: gradio";
        return SpaceSession::onRefused(std::move(failure), json, ev);
    }
};

// A GET that only asks whether the Space is there (PROBE) or wakes it (WARMUP).
class Visit final : public SpaceSession {
public:
    Visit(const Settings& settings, std::string_view path, bool wake)
        : SpaceSession(settings, settings.get(path), wake ? settings.wake_attempts : 0), wake_(wake) {}

    sdk::Action step(const sdk::Event& ev) override {
        if (ev.kind() == STEPPER_EV_END && appAnswered()) return sdk::Action::done();
        return SpaceSession::step(ev);
    }

private:
    bool appAnswered() const {
        const Condition seen = condition();
        const bool success = status() >= 200 && status() < 300;
        if (!wake_) return success && seen == Condition::Serving;
        // At its root an app has a page of its own, or none at all.
        if (success) return seen == Condition::Serving || seen == Condition::Page;
        return status() == 404 && seen == Condition::Serving;
    }

    sdk::Action onWhole(const Value&, const sdk::Event&) override { return sdk::Action::done(); }

    bool wake_;
};

class Space final : public sdk::Provider {
public:
    explicit Space(std::string_view config_json) : settings_(config_json) {}

    std::unique_ptr<sdk::Session> begin(int32_t job, std::string_view request_json) const override {
        if (job == STEPPER_JOB_GENERATE) return generate(request_json);
        if (job == STEPPER_JOB_WARMUP) return std::make_unique<Visit>(settings_, "", true);
        if (job == STEPPER_JOB_PROBE)
            return std::make_unique<Visit>(settings_, settings_.gradio ? "/config" : "/health", false);
        return nullptr;
    }

private:
    std::unique_ptr<sdk::Session> generate(std::string_view request_json) const {
        const kit::ChatRequest chat = kit::readChat(request_json, "");
        if (settings_.gradio) return std::make_unique<Gradio>(settings_, chat);
        return std::make_unique<Infer>(settings_, chat);
    }

    Settings settings_;
};

}  // namespace
}  // namespace hfspace

STEPPER_PLUGIN(hfspace::Space, "hfspace", "1.0.0", kConfigSchema,
               STEPPER_CAP_STREAM | STEPPER_CAP_PROBE | STEPPER_CAP_WARMUP | STEPPER_CAP_UNLOADABLE)
