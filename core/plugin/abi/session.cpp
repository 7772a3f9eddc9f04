#include "core/plugin/abi/session.h"

#include <algorithm>
#include <chrono>
#include <new>

#include "core/base/text.h"
#include "core/plugin/abi/views.h"
#include "core/plugin/isolation/remote_instance.h"
#include "core/schema/json_schema.h"

namespace stepper::plugin {
namespace {

constexpr size_t kMaxUrl = 8'192, kMaxName = 256, kMaxHeaderValue = 8'192, kMaxMessage = 1'024;
constexpr size_t kMaxBody = 64u << 20, kMaxEmit = 16u << 20;
constexpr int kMaxSends = 64;
constexpr uint32_t kMaxWaitMs = 3'600'000;

Result<std::unique_ptr<Instance>> createRemotely(const PluginImage& image, std::string_view config_json) {
    RemoteOptions options;
    options.program = image.program();
    options.log = logOfPlugins;
    return createRemote(image.copy(), image.kind(), std::string(config_json), options);
}

// Lives for one step: what emit() writes to, and the first rule it saw broken.
struct Sink {
    Output& out;
    const char* broken = nullptr;
    bool out_of_memory = false;
};

void dispatch(Sink& sink, int32_t kind, std::string_view payload) {
    switch (kind) {
        case STEPPER_OUT_TEXT: sink.out.text(payload); return;
        case STEPPER_OUT_REASONING: sink.out.reasoning(payload); return;
        case STEPPER_OUT_FINISH: sink.out.finish(payload); return;
        default: break;
    }
    if (!json::parse(payload)) {
        sink.broken = "it emitted a tool call, usage or meta that is not JSON";
        return;
    }
    if (kind == STEPPER_OUT_TOOL_CALL) return sink.out.toolCall(payload);
    if (kind == STEPPER_OUT_USAGE) return sink.out.usage(payload);
    sink.out.meta(payload);
}

void take(Sink& sink, int32_t kind, stepper_str payload) {
    const auto text = checkedView(payload, kMaxEmit);
    if (!text) {
        sink.broken = "it emitted a view with a wrong length";
    } else if (!isValidUtf8(*text)) {
        sink.broken = "it emitted text that is not UTF-8";
    } else if (!sink.broken) {
        dispatch(sink, kind, *text);
    }
}

extern "C" void emitToSink(void* context, int32_t kind, stepper_str payload) {
    auto& sink = *static_cast<Sink*>(context);
    try {
        take(sink, kind, payload);
    } catch (const std::bad_alloc&) {
        // Nothing is thrown through a plugin.
        sink.out_of_memory = true;
    }
}
uint64_t monotonicMs() {
    return static_cast<uint64_t>(
        std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count());
}

stepper_event eventOf(int32_t kind) {
    stepper_event event{};
    event.struct_size = sizeof event;
    event.kind = kind;
    event.now_ms = monotonicMs();
    return event;
}

bool isOneLine(std::string_view s) {
    return s.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

}  // namespace

Session::Session(std::shared_ptr<const Provider> provider, std::unique_ptr<RawSession> raw)
    : provider_(std::move(provider)), raw_(std::move(raw)) {}

Session::Session(Session&& other) noexcept = default;

Session::~Session() {
    if (provider_) provider_->image()->conduct().callEnded(std::move(fault_));
}

Action Session::start(Output& out) { return step(eventOf(STEPPER_EV_START), out); }

Action Session::head(int status, const transport::Headers& headers, Output& out) {
    std::vector<stepper_kv> views;
    views.reserve(headers.size());
    for (const auto& [name, value] : headers) views.push_back({toAbi(name), toAbi(value)});
    stepper_event event = eventOf(STEPPER_EV_HEAD);
    event.http_status = status;
    event.headers = views.data();
    event.header_count = views.size();
    return step(event, out);
}

Action Session::data(std::string_view payload, std::string_view event_name, Output& out) {
    stepper_event event = eventOf(STEPPER_EV_DATA);
    event.data = toAbi(payload);
    event.name = toAbi(event_name);
    return step(event, out);
}

Action Session::end(Output& out) {
    open_ = false;
    return step(eventOf(STEPPER_EV_END), out);
}

Action Session::ioError(const Error& error, Output& out) {
    open_ = false;
    stepper_event event = eventOf(STEPPER_EV_IO_ERROR);
    event.io_error = static_cast<int32_t>(error.error_class);
    event.data = toAbi(error.message);
    return step(event, out);
}

Action Session::timer(Output& out) { return step(eventOf(STEPPER_EV_TIMER), out); }

Action Session::cancel(Output& out) {
    open_ = false;
    Action answer = step(eventOf(STEPPER_EV_CANCEL), out);
    finished_ = true;
    return answer;
}

Action Session::step(stepper_event event, Output& out) {
    STEPPER_ASSERT(!finished_);
    Sink sink{out};
    event.sink = &sink;
    event.emit = &emitToSink;
    stepper_action action{};
    action.struct_size = sizeof action;
    action.request.struct_size = sizeof action.request;
    action.error.struct_size = sizeof action.error;
    action.error.retry_after_ms = -1;
    if (auto answered = raw_->step(event, action); !answered) {
        finished_ = true;
        if (answered.error().error_class == ErrorClass::Internal) fault_ = answered.error().message;
        return std::move(answered).error();
    }
    if (sink.out_of_memory) {
        finished_ = true;
        return Error{ErrorClass::Internal, "there is no memory for what the provider answers"};
    }
    if (sink.broken) return broken(sink.broken);
    if (event.kind == STEPPER_EV_CANCEL && action.kind == STEPPER_CONTINUE) return Done{};
    return check(action);
}

Action Session::check(const stepper_action& action) {
    switch (action.kind) {
        case STEPPER_CONTINUE:
            if (!open_) return broken("it asked to continue while nothing was under way");
            return Continue{};
        case STEPPER_SEND:
            if (open_) return broken("it asked to send while its exchange was still open");
            return checkSend(action.request);
        case STEPPER_WAIT:
            if (open_) return broken("it asked to wait while its exchange was still open");
            return Wait{milliseconds{std::clamp<uint32_t>(action.wait_ms, 1, kMaxWaitMs)}};
        case STEPPER_DONE: finished_ = true; return Done{};
        case STEPPER_FAIL: break;
        default: return broken("it answered with the unknown action " + std::to_string(action.kind));
    }
    const auto message = checkedView(action.error.message, 1u << 20);
    const auto code = checkedView(action.error.provider_code, 1u << 20);
    if (!message || !code) return broken("its error text has a wrong length");
    finished_ = true;
    Error error;
    error.error_class = errorClassOf(action.error.error_class);
    error.message = toValidUtf8(utf8Prefix(*message, kMaxMessage));
    if (error.message.empty()) error.message = "the plugin gave no reason";
    if (error.error_class == ErrorClass::Internal) fault_ = error.message;
    error.http_status = std::clamp(action.error.http_status, 0, 999);
    error.provider_code = toValidUtf8(utf8Prefix(*code, kMaxName));
    if (action.error.retry_after_ms >= 0) error.retry_after = milliseconds{action.error.retry_after_ms};
    return error;
}

Action Session::checkSend(const stepper_http_request& from) {
    if (++sends_ > kMaxSends) return broken("it sent more than " + std::to_string(kMaxSends) + " requests");
    const auto method = checkedView(from.method, 16), url = checkedView(from.url, kMaxUrl);
    const auto auth_name = checkedView(from.auth_name, kMaxName), body = checkedView(from.body, kMaxBody);
    if (!method || !url || !auth_name || !body) return broken("its request has a view of a wrong length");
    if (!isToken(*method)) return broken("its request has no valid method");
    if (!(url->starts_with("https://") || url->starts_with("http://")) || !isOneLine(*url) ||
        url->find(' ') != std::string_view::npos)
        return broken("its request's URL is not an http(s) URL");
    if (from.body_mode < STEPPER_BODY_WHOLE || from.body_mode > STEPPER_BODY_LINES)
        return broken("its request asks for an unknown body mode");
    if (from.auth_mode < STEPPER_AUTH_NONE || from.auth_mode > STEPPER_AUTH_QUERY)
        return broken("its request asks for an unknown auth mode");
    if (from.auth_mode >= STEPPER_AUTH_HEADER && !isToken(*auth_name))
        return broken("its request names no header or parameter for the key");
    if (from.header_count > kMaxRequestHeaders || (from.header_count > 0 && !from.headers))
        return broken("its request has a wrong number of headers");

    SendSpec to;
    for (size_t i = 0; i < from.header_count; ++i) {
        const auto name = checkedView(from.headers[i].key, kMaxName);
        const auto value = checkedView(from.headers[i].value, kMaxHeaderValue);
        if (!name || !value || !isToken(*name) || !isOneLine(*value))
            return broken("its request has an invalid header");
        to.headers.emplace_back(*name, *value);
    }
    to.method = *method;
    to.url = *url;
    to.body = *body;
    to.auth_name = *auth_name;
    to.body_mode = static_cast<transport::BodyMode>(from.body_mode);
    to.auth_mode = static_cast<AuthMode>(from.auth_mode);
    to.timeout = milliseconds{from.timeout_ms};
    to.idle_timeout = milliseconds{from.idle_timeout_ms};
    to.max_response_bytes = from.max_response_bytes;
    open_ = true;
    return to;
}

Error Session::broken(std::string rule) {
    finished_ = true;
    fault_ = "it broke the plugin ABI: " + rule;
    return Error{ErrorClass::Internal,
                 "plugin " + provider_->image()->kind() + " broke the plugin ABI: " + rule};
}

Result<std::shared_ptr<const Provider>> Provider::create(std::shared_ptr<const PluginImage> image,
                                                         std::string_view config_json,
                                                         config::Isolation isolation) {
    auto config = json::parse(config_json);
    if (!config) return std::move(config).error();
    auto schema_json = json::parse(image->configSchema());
    if (!schema_json) return std::move(schema_json).error();
    auto schema = JsonSchema::compile(*schema_json);
    if (!schema)
        return Error{ErrorClass::Config, "plugin " + image->kind() + ": its own config schema is unusable: " +
                                             schema.error().message};
    if (auto valid = schema->validate(*config); !valid)
        return Error{ErrorClass::Config,
                     "not what plugin " + image->kind() + " takes: " + valid.error().message};

    auto instance = isolation == config::Isolation::Process
                        ? createRemotely(*image, config_json)
                        : createInProcess(image, std::string(config_json));
    if (!instance) return std::move(instance).error();
    return std::shared_ptr<const Provider>(new Provider(std::move(image), std::move(instance).value()));
}

Result<Session> Provider::begin(Purpose purpose, std::string_view request_json) const {
    auto raw = instance_->begin(purpose, request_json);
    if (raw) return Session(shared_from_this(), std::move(raw).value());
    const bool at_fault = raw.error().error_class == ErrorClass::Internal;
    image_->conduct().callEnded(at_fault ? std::optional(raw.error().message) : std::nullopt);
    return std::move(raw).error();
}

}  // namespace stepper::plugin
