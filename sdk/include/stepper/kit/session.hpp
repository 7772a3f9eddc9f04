// stepper/kit/session.hpp - the session most plugins need: one request, answered whole or as a stream of
// events.
//
// Override onWhole and onChunk, emit with text/reasoning/toolCall/finish, and end with conclude(). The class
// keeps the status and the headers, reads error responses, takes reasoning out of the text where it is asked
// to, and notices answers that stop half-way or say nothing. A server that answers a streamed request with
// one JSON body is met half-way by the host: that body arrives as a single event, so onChunk should also know
// the whole form.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "stepper/kit/chat.hpp"
#include "stepper/kit/failure.hpp"
#include "stepper/kit/json.hpp"
#include "stepper/kit/think.hpp"
#include "stepper/plugin.hpp"

namespace stepper::kit {

class HttpSession : public sdk::Session {
public:
    sdk::Action step(const sdk::Event& ev) override {
        switch (ev.kind()) {
            case STEPPER_EV_START: return sdk::Action::send(std::move(request_));
            case STEPPER_EV_HEAD: return onHead(ev);
            case STEPPER_EV_DATA:
                if (streaming_) return onEvent(ev.name(), ev.data(), ev);
                body_ += ev.data();
                return sdk::Action::more();
            case STEPPER_EV_END: return onEnd(ev);
            case STEPPER_EV_IO_ERROR: return onIoError(ev);
            case STEPPER_EV_CANCEL: return sdk::Action::fail(STEPPER_E_CANCELLED, "cancelled");
            default: return sdk::Action::more();
        }
    }

protected:
    explicit HttpSession(sdk::Request request) : request_(std::move(request)) {}

    // A complete 2xx JSON body that is no error.
    virtual sdk::Action onWhole(const Value& json, const sdk::Event& ev) = 0;
    // One event or line of a stream, parsed; no error and not [DONE].
    virtual sdk::Action onChunk(std::string_view /*name*/, const Value& json, const sdk::Event& ev) {
        return onWhole(json, ev);
    }
    // One event or line as it came. For streams that are not JSON all through.
    virtual sdk::Action onEvent(std::string_view name, std::string_view data, const sdk::Event& ev) {
        const std::string_view trimmed = trim(data);
        if (trimmed.starts_with("[DONE]")) complete_ = true;
        if (trimmed.empty() || complete_) return sdk::Action::more();
        const Document json = parse(trimmed);
        if (json.HasParseError()) return badResponse(whyNotJson(trimmed));
        if (isErrorBody(json) || name == "error") {
            sdk::Failure failure = classifyInside(status_, headers_, json);
            if (!stands()) return onRefused(std::move(failure), json, ev);
            emitMeta(ev, {}, {}, {"behind its answer the provider said: " + failure.message});
        }
        return onChunk(name, json, ev);
    }
    // The stream is complete, or broke off after the finish reason.
    virtual sdk::Action onStreamEnd(const sdk::Event& ev) { return conclude(ev); }
    // The provider refused: a non-2xx response, or an error inside a 2xx. `json` may be null. May answer with
    // another send() instead, but only between exchanges: check exchangeOver().
    virtual sdk::Action onRefused(sdk::Failure failure, const Value& /*json*/, const sdk::Event&) {
        return sdk::Action::fail(std::move(failure));
    }

    // For models that may write their reasoning into the text: from here on it is looked for there. `opened`
    // as ThinkStripper takes it.
    void splitReasoning(bool opened = false) {
        opened_ = opened;
        splitter_.emplace(opened);
    }

    void text(const sdk::Event& ev, std::string_view s) {
        if (splitter_) return pass(ev, splitter_->feed(s));
        say(ev, s);
    }
    void reasoning(const sdk::Event& ev, std::string_view s) {
        if (!s.empty()) ev.emit(STEPPER_OUT_REASONING, s);
    }
    void toolCall(const sdk::Event& ev, std::string_view json) {
        called_ = true;
        ev.emit(STEPPER_OUT_TOOL_CALL, json);
    }
    // The text so far belongs to no answer, another one begins.
    void withdrawText(const sdk::Event& ev) {
        if (splitter_) splitReasoning(opened_);
        finish_.clear();
        if (std::exchange(said_, false)) emitFateOfText(ev, Fate::Void);
    }
    bool answered() const { return said_ || called_; }
    // Takes the provider's own word; the first one counts.
    void finish(const sdk::Event& ev, std::string_view raw_reason) {
        if (finished()) return;
        finish_ = finishWord(raw_reason);
        ev.emit(STEPPER_OUT_FINISH, finish_);
    }
    bool finished() const { return !finish_.empty(); }
    bool exchangeOver() const { return exchange_over_; }

    // DONE, unless the answer is empty or was cut off. A body that came whole and a stream that ends with
    // [DONE] are complete even where no reason is given.
    sdk::Action conclude(const sdk::Event& ev) {
        if (splitter_) pass(ev, splitter_->finish());
        if (!finished() && streaming_ && !complete_)
            return badResponse("stream ended without a finish reason");
        if (finish_ == "content_filter")
            return sdk::Action::fail(STEPPER_E_CONTENT_BLOCKED,
                                     "the answer was withheld by the provider's content filter", status_);
        if (finish_ == "error")
            return sdk::Action::fail(STEPPER_E_UPSTREAM, "the provider gave up half-way through the answer",
                                     status_);
        if (answered()) return sdk::Action::done();
        if (finish_ == "length")
            return badResponse(
                "length_no_text: the token limit was used up before any text, raise max_tokens");
        return badResponse("the answer is empty");
    }
    sdk::Action badResponse(std::string why) const {
        return sdk::Action::fail(STEPPER_E_BAD_RESPONSE, std::move(why), status_);
    }

    // Starts another exchange of the same attempt.
    sdk::Action send(sdk::Request request) {
        body_.clear();
        body_mode_ = request.body_mode;
        status_ = 0;
        exchange_over_ = complete_ = false;
        return sdk::Action::send(std::move(request));
    }

    int status() const { return status_; }
    const Headers& headers() const { return headers_; }
    std::string_view body() const { return body_; }

private:
    bool ok() const { return status_ >= 200 && status_ < 300; }
    // The answer had ended well: what comes behind it cannot take it back.
    bool stands() const { return finished() && finish_ != "error" && finish_ != "content_filter"; }

    void say(const sdk::Event& ev, std::string_view s) {
        if (s.empty()) return;
        said_ = true;
        ev.emit(STEPPER_OUT_TEXT, s);
    }
    void pass(const sdk::Event& ev, const ThinkStripper::Output& out) {
        if (out.took_back && std::exchange(said_, false)) emitFateOfText(ev, Fate::Reasoning);
        reasoning(ev, out.reasoning);
        say(ev, out.text);
    }

    sdk::Action onHead(const sdk::Event& ev) {
        status_ = ev.status();
        headers_.clear();
        for (size_t i = 0; i < ev.headerCount(); ++i)
            headers_.emplace_back(sdk::view(ev.headers()[i].key), sdk::view(ev.headers()[i].value));
        streaming_ = ok() && body_mode_ != STEPPER_BODY_WHOLE;
        return sdk::Action::more();
    }

    sdk::Action onEnd(const sdk::Event& ev) {
        exchange_over_ = true;
        if (streaming_) return onStreamEnd(ev);
        if (!ok()) {
            const ErrorBody error = readErrorBody(body_);
            return onRefused(classify(status_, headers_, error), error.json, ev);
        }
        const Document json = parse(body_);
        if (json.HasParseError()) return badResponse(whyNotJson(trim(body_)));
        if (isErrorBody(json)) return onRefused(classifyInside(status_, headers_, json), json, ev);
        return onWhole(json, ev);
    }

    sdk::Action onIoError(const sdk::Event& ev) {
        if (status_ >= 400) return sdk::Action::fail(classify(status_, headers_, body_));
        if (finished() || complete_) return onStreamEnd(ev);
        return sdk::Action::fail(ev.ioError(), std::string(ev.data()), status_);
    }

    std::string whyNotJson(std::string_view text) const {
        if (text.empty()) return "the response is empty";
        if (text.starts_with('<')) return "the response is an HTML page: " + presentable(htmlText(text));
        const auto coding = header(headers_, "content-encoding");
        if (coding.empty() || coding == "identity") return "the response is not JSON";
        return "the response is not JSON, its content-encoding is " + presentable(coding, 40);
    }

    sdk::Request request_;
    Headers headers_;
    std::string body_, finish_;
    int status_ = 0;
    int32_t body_mode_ = request_.body_mode;
    bool streaming_ = false, exchange_over_ = false;
    bool complete_ = false;               // [DONE] was said
    bool said_ = false, called_ = false;  // text, a tool call
    std::optional<ThinkStripper> splitter_;
    bool opened_ = false;
};

// GET of a provider's model list, for the jobs PROBE (is the key good?) and MODELS (what is there?). The list
// is the array at `pointer`, or the body itself if that is one; `id` names the member that holds a model's
// name.
class ModelList final : public HttpSession {
public:
    ModelList(sdk::Request request, int32_t job, std::string pointer = "/data", std::string id = "id")
        : HttpSession(asGet(std::move(request))),
          job_(job),
          pointer_(std::move(pointer)),
          id_(std::move(id)) {}

private:
    static sdk::Request asGet(sdk::Request r) {
        r.method = "GET";
        r.body.clear();
        r.body_mode = STEPPER_BODY_WHOLE;
        return r;
    }

    sdk::Action onWhole(const Value& json, const sdk::Event& ev) override {
        if (job_ != STEPPER_JOB_MODELS) return sdk::Action::done();
        const Value* list = json.IsArray() ? &json : at(json, pointer_);
        if (!list || !list->IsArray()) return badResponse("the response lists no models");
        Document out(rapidjson::kObjectType);
        auto& a = out.GetAllocator();
        Value names = newArray();
        for (const Value& model : list->GetArray())
            if (const auto name = string(model, id_); !name.empty()) names.PushBack(kit::text(name, a), a);
        set(out, "models", std::move(names), a);
        ev.emit(STEPPER_OUT_META, dump(out));
        return sdk::Action::done();
    }

    int32_t job_;
    std::string pointer_, id_;
};

}  // namespace stepper::kit
