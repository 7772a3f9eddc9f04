#include "answer.hpp"

#include <cstdint>
#include <optional>

namespace http_template {
namespace {

std::optional<int64_t> countAt(const Value& json, std::string_view pointer) {
    constexpr double kMost = 1e15;
    const Value* v = pointer.empty() ? nullptr : kit::at(json, pointer);
    if (!v || !v->IsNumber() || !(v->GetDouble() >= 0 && v->GetDouble() < kMost)) return std::nullopt;
    return static_cast<int64_t>(v->GetDouble());
}

}  // namespace

AnswerSpec::AnswerSpec(const Block& options) {
    const Block response = options.inner("response");
    text = response.pointers("text");
    if (text.empty())
        throw sdk::ConfigError(response.place("text") + " is missing: a JSON pointer to the answer's text");
    reasoning = response.pointer("reasoning");
    const Value* strip = response.find("strip_think");
    strip_think = !strip || !strip->IsFalse();
    finish = response.pointer("finish");
    model = response.pointer("model");
    id = response.pointer("id");
    response.inner("finish_map").forEach([&](std::string_view theirs, const Value& ours) {
        finish_map.emplace(theirs, kit::view(ours));
    });
    const Block usage = response.inner("usage");
    prompt_tokens = usage.pointer("prompt");
    completion_tokens = usage.pointer("completion");
    total_tokens = usage.pointer("total");

    const Block stream = options.inner("stream");
    stream_text = stream.pointers("text");
    if (stream_text.empty()) stream_text = text;
    done_text = stream.word("done");
    if (done_text.empty()) {
        const Block done = stream.inner("done");
        done_pointer = done.pointer("pointer");
        done_value = done.find("equals");
    }
}

std::string AnswerSpec::finishReason(const Value& json) const {
    const std::string reason = textAt(json, finish);
    const auto mapped = finish_map.find(reason);
    return mapped == finish_map.end() ? reason : mapped->second;
}

bool AnswerSpec::isLastEvent(std::string_view data) const {
    return data.starts_with("[DONE]") || (!done_text.empty() && data == done_text);
}

bool AnswerSpec::isLastEvent(const Value& json) const {
    const Value* found = done_pointer.empty() ? nullptr : kit::at(json, done_pointer);
    return found && done_value && *found == *done_value;
}

sdk::Action Answer::onWhole(const Value& json, const sdk::Event& ev) {
    if (errors_.isError(json)) return onRefused({}, json, ev);
    readText(json, spec_.text, ev);
    readRest(json, ev);
    finish(ev, "stop");
    return end(ev);
}

sdk::Action Answer::onEvent(std::string_view name, std::string_view data, const sdk::Event& ev) {
    if (!spec_.isLastEvent(kit::trim(data))) return HttpSession::onEvent(name, data, ev);
    finish(ev, "stop");
    return sdk::Action::more();
}

sdk::Action Answer::onChunk(std::string_view, const Value& json, const sdk::Event& ev) {
    if (errors_.isError(json)) return onRefused({}, json, ev);
    readText(json, spec_.stream_text, ev);
    // A body that turns out to be no stream arrives as one event and looks like a whole answer.
    const bool whole = !text_seen_ && readText(json, spec_.text, ev);
    readRest(json, ev);
    if (whole || spec_.isLastEvent(json)) finish(ev, "stop");
    return sdk::Action::more();
}

sdk::Action Answer::onStreamEnd(const sdk::Event& ev) {
    if (spec_.endIsUnmarked()) finish(ev, "stop");
    return end(ev);
}

sdk::Action Answer::onRefused(sdk::Failure, const Value& json, const sdk::Event&) {
    return sdk::Action::fail(
        errors_.failure(status(), headers(), json.IsNull() ? std::string(body()) : kit::dump(json)));
}

bool Answer::readText(const Value& json, const std::vector<std::string>& pointers, const sdk::Event& ev) {
    for (const std::string& pointer : pointers) {
        const std::string piece = textAt(json, pointer);
        if (piece.empty()) continue;
        text_seen_ = true;
        text(ev, piece);
        return true;
    }
    return false;
}

void Answer::readRest(const Value& json, const sdk::Event& ev) {
    reasoning(ev, textAt(json, spec_.reasoning));
    const std::string model = textAt(json, spec_.model), id = textAt(json, spec_.id);
    if (!meta_sent_ && !(model.empty() && id.empty())) {
        meta_sent_ = true;
        kit::emitMeta(ev, model, id);
    }
    kit::emitUsage(ev, {countAt(json, spec_.prompt_tokens),
                        countAt(json, spec_.completion_tokens),
                        countAt(json, spec_.total_tokens),
                        {},
                        {}});
    if (const std::string reason = spec_.finishReason(json); !reason.empty()) finish(ev, reason);
}

sdk::Action Answer::end(const sdk::Event& ev) {
    kit::emitMeta(ev, "", "", warnings_);
    sdk::Action action = conclude(ev);
    if (!text_seen_ && action.failure.error_class == STEPPER_E_BAD_RESPONSE)
        action.failure.message += "; nothing was found where options.response.text points";
    return action;
}

}  // namespace http_template
