#include "gradio.hpp"

#include <algorithm>
#include <optional>

#include "answer.hpp"

namespace hfspace {
namespace {

std::string callPath(const Settings& s, size_t prefix) { return s.prefixes[prefix] + "/call/" + s.api_name; }

sdk::Request callRequest(const Settings& s, size_t prefix, std::string_view prompt) {
    Document body(rapidjson::kObjectType);
    auto& a = body.GetAllocator();
    Value data = kit::newArray();
    if (s.inputs)
        data = filledIn(*s.inputs, prompt, a);
    else
        data.PushBack(kit::text(prompt, a), a);
    // The second input of a ChatInterface is its history; an endpoint with one input ignores another.
    if (!s.inputs && s.api_name == "chat") data.PushBack(Value(), a);
    kit::set(body, "data", std::move(data), a);
    return s.post(callPath(s, prefix), body);
}

// The id becomes part of a URL.
bool isPlainId(std::string_view id) {
    return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
        return kit::isAlpha(c) || kit::isDigit(c) || c == '-' || c == '_';
    });
}

}  // namespace

Gradio::Gradio(const Settings& settings, const kit::ChatRequest& chat)
    : SpaceSession(settings, callRequest(settings, 0, promptOf(chat)), settings.wake_attempts),
      prompt_(promptOf(chat)),
      stream_(chat.stream) {
    readsOnlyTextOf(chat);
    splitReasoning();
}

sdk::Action Gradio::step(const sdk::Event& ev) {
    if (ev.kind() == STEPPER_EV_CANCEL && !event_id_.empty()) return cancelJob();
    return SpaceSession::step(ev);
}

sdk::Action Gradio::onWhole(const Value& json, const sdk::Event&) {
    event_id_ = kit::string(json, "event_id");
    if (!isPlainId(event_id_)) return badResponse("the Space answered with neither an event_id nor a stream");
    return fetch();
}

sdk::Action Gradio::fetch() {
    sdk::Request r = settings().get(callPath(settings(), prefix_) + "/" + event_id_);
    r.headers = {{"accept", "text/event-stream"}};
    r.body_mode = STEPPER_BODY_SSE;
    return send(std::move(r));
}

// Gradio insists on all three members, but the event id alone is enough to stop a generator.
sdk::Action Gradio::cancelJob() {
    Document body(rapidjson::kObjectType);
    auto& a = body.GetAllocator();
    kit::set(body, "event_id", event_id_, a);
    kit::set(body, "session_hash", "", a);
    kit::set(body, "fn_index", Value(0), a);
    return sdk::Action::send(settings().post(settings().prefixes[prefix_] + "/cancel", body));
}

sdk::Action Gradio::onEvent(std::string_view name, std::string_view data, const sdk::Event& ev) {
    if (name == "heartbeat") return sdk::Action::more();
    if (name.empty() && kit::trim(data).starts_with('<'))
        return notServing("the Space stopped before it had a result", data);
    const Document json = kit::parse(data);
    if (json.HasParseError()) return badResponse("an event of the Space's stream is not JSON");
    if (name == "error") return sdk::Action::fail(gradioFailure(status(), headers(), json));
    if (name == "complete") return onComplete(json, ev);
    if (name == "generating" && stream_) onGrowth(json, ev);
    return sdk::Action::more();
}

// Each event repeats the whole text so far. A text that is no longer a continuation of what was emitted is
// passed over: a later one may be again.
void Gradio::onGrowth(const Value& outputs, const sdk::Event& ev) {
    const Value* output = kit::at(outputs, settings().text_pointer);
    const auto grown = output ? gradioText(*output) : std::nullopt;
    if (!grown || !grown->starts_with(streamed_)) return;
    text(ev, std::string_view(*grown).substr(streamed_.size()));
    streamed_ = *grown;
}

sdk::Action Gradio::onComplete(const Value& outputs, const sdk::Event& ev) {
    if (outputs.IsNull()) return badResponse("the Space's app completed without a result");
    const Value* output = kit::at(outputs, settings().text_pointer);
    if (!output)
        return badResponse("the result has nothing at options.text_pointer " + settings().text_pointer);
    const auto plain = gradioText(*output);
    const std::string whole = plain ? *plain : kit::dump(*output);
    if (!whole.starts_with(streamed_)) {
        withdrawText(ev);  // the app wrote something else over it
        streamed_.clear();
    }
    text(ev, std::string_view(whole).substr(streamed_.size()));
    finish(ev, "stop");
    return answered(ev);
}

sdk::Action Gradio::onStreamEnd(const sdk::Event&) {
    return badResponse("the Space closed the stream without a result");
}

sdk::Action Gradio::onRefused(sdk::Failure failure, const Value& json, const sdk::Event& ev) {
    // The POST only queues the call. What breaks there is Gradio's search for the endpoint
    // (FnIndexInferError).
    if (status() == 500 && event_id_.empty() && kit::trim(body()) == "Internal Server Error") {
        failure.error_class = STEPPER_E_MODEL_NOT_FOUND;
        failure.message = "the Space's app has no endpoint " + settings().api_name +
                          "; options.api_name must be one that its \"Use via API\" page lists";
        return sdk::Action::fail(std::move(failure));
    }
    if (status() != 404) return SpaceSession::onRefused(std::move(failure), json, ev);
    if (!event_id_.empty()) {
        failure.error_class = STEPPER_E_UPSTREAM;  // the app restarted, or another replica has the job
        return sdk::Action::fail(std::move(failure));
    }
    if (prefix_ + 1 < settings().prefixes.size())
        return startOver(callRequest(settings(), ++prefix_, prompt_));
    return SpaceSession::onRefused(std::move(failure), json, ev);
}

}  // namespace hfspace
