#include "request.hpp"

#include <stdexcept>
#include <utility>

#include "body_template.hpp"

namespace http_template {
namespace {

int32_t authMode(const Block& auth) {
    const std::string mode = auth.word("mode");
    const bool named = mode == "header" || mode == "query";
    if (named && auth.word("name").empty())
        throw sdk::ConfigError(auth.place("name") + " is missing: the " +
                               (mode == "header" ? "header" : "query parameter") + " the key goes into");
    if (!named && auth.find("name"))
        throw sdk::ConfigError(auth.place("name") + " only means something with mode: header or query");
    if (mode == "header") return STEPPER_AUTH_HEADER;
    if (mode == "query") return STEPPER_AUTH_QUERY;
    return mode == "none" ? STEPPER_AUTH_NONE : STEPPER_AUTH_BEARER;
}

kit::Headers headersOf(const Block& headers) {
    kit::Headers all;
    headers.forEach([&](std::string_view name, const Value& value) {
        if (kit::contains(kit::view(value), "{{"))
            throw sdk::ConfigError(headers.place(name) + " holds a placeholder; headers take none");
        all.emplace_back(kit::lower(name), kit::view(value));
    });
    if (kit::header(all, "content-type").empty()) all.emplace_back("content-type", "application/json");
    return all;
}

int32_t streamMode(const Block& stream) {
    const std::string mode = stream.word("mode");
    return mode == "sse" ? STEPPER_BODY_SSE : mode == "lines" ? STEPPER_BODY_LINES : STEPPER_BODY_WHOLE;
}

}  // namespace

RequestTemplate::RequestTemplate(const Block& options, std::string_view base_url)
    : path_(options.word("path")), body_(options.find("body")) {
    if (!body_)
        throw sdk::ConfigError(options.place("body") + " is missing: the template of the request body");
    checkPlaceholders(*body_, options.place("body"));
    takes_prompt_ = mentions(*body_, "prompt");
    if (!takes_prompt_ && !mentions(*body_, "messages"))
        throw sdk::ConfigError(options.place("body") + " has neither {{messages}} nor {{prompt}} in it");
    system_apart_ = mentions(*body_, "system");
    takes_temperature_ = mentions(*body_, "temperature");

    const Block stream = options.inner("stream");
    stream_mode_ = streamMode(stream);
    stream_members_ = stream.find("enable");
    if (stream_members_ && !body_->IsObject())
        throw sdk::ConfigError(stream.place("enable") + " needs a body that is an object");
    if (stream_members_) checkPlaceholders(*stream_members_, stream.place("enable"));

    if (const Value* path = options.find("path")) {
        checkPlaceholders(*path, options.place("path"));
        model_in_path_ = mentions(*path, "model");
    }
    prototype_.url = base_url;
    if (const std::string method = options.word("method"); !method.empty()) prototype_.method = method;
    const Block auth = options.inner("auth");
    prototype_.auth_mode = authMode(auth);
    prototype_.auth_name = auth.word("name");
    prototype_.headers = headersOf(options.inner("headers"));
}

std::vector<std::string> RequestTemplate::leftOut(const kit::ChatRequest& chat) const {
    if (!chat.temperature || takes_temperature_) return {};
    return {"temperature was left out, options.body has no {{temperature}}"};
}

sdk::Request RequestTemplate::fill(const kit::ChatRequest& chat) const {
    const Document values = valuesOf(chat, system_apart_);
    if (model_in_path_ && chat.model.empty())
        throw std::invalid_argument("neither the request nor the configuration names a model");
    if (takes_prompt_ && !kit::find(values, "prompt"))
        throw std::invalid_argument("the request has no text for {{prompt}}");

    Document scratch;
    auto& a = scratch.GetAllocator();
    Value body = filledIn(*body_, values, a).value_or(Value());
    sdk::Request r = prototype_;
    r.url += filledInPath(path_, values);
    if (chat.stream) r.body_mode = stream_mode_;
    if (r.body_mode != STEPPER_BODY_WHOLE && stream_members_)
        for (const auto& [name, value] : stream_members_->GetObject())
            if (auto filled = filledIn(value, values, a))
                kit::set(body, kit::view(name), std::move(*filled), a);
    r.body = kit::dump(body);
    return r;
}

}  // namespace http_template
