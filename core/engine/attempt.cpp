#include "core/engine/attempt.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/base/units.h"
#include "core/plugin/abi/collector.h"
#include "core/secrets/redact.h"
#include "core/telemetry/log.h"

namespace stepper::engine {
namespace {

using plugin::Action;
using plugin::SendSpec;
using transport::HttpEvent;

// How long the courtesy request of a cancelled session may take.
constexpr milliseconds kCourtesy{1'000};
constexpr milliseconds kLongestProbe{30'000};
constexpr size_t kMostTraced = 4'096;

std::string percentEncoded(std::string_view s) {
    constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : s) {
        const auto u = static_cast<unsigned char>(c);
        if (std::isalnum(u) || c == '-' || c == '_' || c == '.' || c == '~') {
            out += c;
        } else {
            out.append({'%', kHex[u >> 4], kHex[u & 15]});
        }
    }
    return out;
}

// The plugin says where the key goes; only here does it meet the request.
void addKey(transport::HttpRequest& request, const SendSpec& spec, const config::Secret& key) {
    if (key.empty() || spec.auth_mode == plugin::AuthMode::None) return;
    if (spec.auth_mode == plugin::AuthMode::Query) {
        const char joint = request.url.find('?') == std::string::npos ? '?' : '&';
        request.url += joint + percentEncoded(spec.auth_name) + "=" + percentEncoded(key.reveal());
        return;
    }
    const bool bearer = spec.auth_mode == plugin::AuthMode::Bearer;
    const std::string name = bearer ? "authorization" : spec.auth_name;
    std::erase_if(request.headers, [&](const auto& h) { return equalsIgnoreCase(h.first, name); });
    request.headers.emplace_back(name, (bearer ? "Bearer " : "") + key.reveal());
}

milliseconds shorter(milliseconds ours, milliseconds wish) {
    return wish.count() > 0 ? std::min(ours, wish) : ours;
}

class Attempt {
public:
    Attempt(const ProviderEntry& provider, const config::Secret& key, const Means& means,
            AttemptListener& listener, plugin::Session session)
        : provider_(provider), key_(key), means_(means), listener_(listener), session_(std::move(session)) {}

    // Until the plugin has ended; what it has emitted is not looked at.
    Attempted run() {
        Action action = session_.start(out_);
        while (!plugin::hasEnded(action)) {
            if (const auto* wait = std::get_if<plugin::Wait>(&action)) {
                action = afterWait(wait->duration);
            } else {
                action = exchange(toRequest(std::get<SendSpec>(action), means_.deadline), means_.cancel);
            }
        }
        return ended(action);
    }

private:
    Attempted ended(const Action& action) {
        Attempted out{out_.take(), {}, heard_, unasked_, true};
        if (const auto* error = std::get_if<Error>(&action)) {
            out.error = *error;
            out.concluded = !out.answer.finish.empty() && out.answer.finish != "error";
        }
        return out;
    }

    transport::HttpRequest toRequest(const SendSpec& spec, SteadyTime deadline) const {
        const config::Provider& limits = provider_.spec;
        transport::HttpRequest r;
        r.method = spec.method;
        r.url = spec.url;
        r.headers = spec.headers;
        r.body = spec.body;
        r.body_mode = spec.body_mode;
        r.deadline =
            spec.timeout.count() > 0 ? std::min(deadline, means_.clock.now() + spec.timeout) : deadline;
        r.connect_timeout = limits.connect_timeout;
        r.first_byte_timeout = limits.first_byte_timeout;
        r.idle_timeout = shorter(limits.idle_timeout, spec.idle_timeout);
        r.max_response_bytes = spec.max_response_bytes > 0
                                   ? std::min(limits.max_response_bytes, spec.max_response_bytes)
                                   : limits.max_response_bytes;
        if (limits.proxy) r.proxy = limits.proxy->reveal();
        addKey(r, spec, key_);
        r.on_sent = [&listener = listener_] { listener.sent(); };
        return r;
    }

    // Runs one exchange to its end, or until the plugin has heard enough; leaving the scope closes what is
    // open.
    Action exchange(transport::HttpRequest request, CancelToken& cancel) {
        traceSent(request);
        auto opened = means_.transport.open(std::move(request), cancel);
        if (!opened) return failed(opened.error());
        for (;;) {
            const HttpEvent event = (*opened)->next();
            Action action = deliver(event);
            const bool last = event.kind == HttpEvent::Kind::End || event.kind == HttpEvent::Kind::Failed;
            if (last || !std::holds_alternative<plugin::Continue>(action)) return action;
        }
    }

    // What is secret in it is masked, as in all of the log; the query may be a key.
    void traceSent(const transport::HttpRequest& request) const {
        if (!log::enabled(log::Level::Trace)) return;
        const std::string body = secrets::redact(request.body);
        log::trace("exchange", {{"provider", provider_.spec.name},
                                {"method", request.method},
                                {"url", std::string_view(request.url).substr(0, request.url.find('?'))},
                                {"body", utf8Prefix(body, kMostTraced)}});
    }
    void traceHeard(const HttpEvent& event) const {
        if (!log::enabled(log::Level::Trace)) return;
        log::trace("exchange",
                   {{"provider", provider_.spec.name},
                    {"status", event.kind == HttpEvent::Kind::Head ? event.status : 0},
                    {"bytes", event.data.size()},
                    {"text", event.kind == HttpEvent::Kind::Failed ? std::string_view(event.error.message)
                                                                   : utf8Prefix(event.data, kMostTraced)}});
    }

    Action deliver(const HttpEvent& event) {
        traceHeard(event);
        switch (event.kind) {
            case HttpEvent::Kind::Head:
                heard_ = true;
                listener_.heard(*event.headers);
                return session_.head(event.status, *event.headers, out_);
            case HttpEvent::Kind::Data: return session_.data(event.data, event.name, out_);
            case HttpEvent::Kind::End: return session_.end(out_);
            case HttpEvent::Kind::Failed: break;
        }
        return failed(event.error);
    }

    Action failed(const Error& error) {
        if (error.error_class == ErrorClass::Cancelled) return cancelled(error);
        if (error.error_class != ErrorClass::Internal) return session_.ioError(error, out_);
        // It is no news of the provider, so its plugin has nothing to say about it.
        unasked_ = !heard_;
        session_.cancel(out_);
        return error;
    }

    Action afterWait(milliseconds duration) {
        const SteadyTime until = means_.clock.now() + duration;
        if (until > means_.deadline)
            return Error{ErrorClass::Timeout, "the provider asked to wait " + formatDuration(duration) +
                                                  ", which is beyond this request's deadline"};
        if (const auto reason = means_.cancel.sleepUntil(until); reason != CancelReason::None)
            return cancelled({ErrorClass::Cancelled, std::string(name(reason))});
        return session_.timer(out_);
    }

    Action cancelled(Error error) {
        const Action last = session_.cancel(out_);
        if (const auto* courtesy = std::get_if<SendSpec>(&last)) {
            CancelToken none;
            auto opened = means_.transport.open(toRequest(*courtesy, means_.clock.now() + kCourtesy), none);
            if (opened) (*opened)->next();
        }
        return error;
    }

    const ProviderEntry& provider_;
    const config::Secret& key_;
    const Means& means_;
    AttemptListener& listener_;
    plugin::Session session_;
    plugin::Collector out_;
    bool heard_ = false, unasked_ = false;
};

}  // namespace

Attempted attempt(const ProviderEntry& provider, const config::Secret& key, std::string_view request_json,
                  const Means& means, AttemptListener& listener) {
    auto session = provider.plugin->begin(plugin::Purpose::Generate, request_json);
    if (!session) return {{}, std::move(session).error()};
    return Attempt(provider, key, means, listener, std::move(session).value()).run();
}

std::optional<Error> visit(const ProviderEntry& provider, const config::Secret& key, plugin::Purpose purpose,
                           const Means& means) {
    auto session = provider.plugin->begin(purpose, "{}");
    if (!session) return std::move(session).error();
    NobodyListens listener;
    return Attempt(provider, key, means, listener, std::move(session).value()).run().error;
}

std::optional<Error> probe(const ProviderEntry& provider, size_t target, const Means& means) {
    const SteadyTime until = means.clock.now() + std::min(provider.spec.timeout, kLongestProbe);
    return visit(provider, provider.keyFor(target), plugin::Purpose::Probe,
                 {std::min(means.deadline, until), means.cancel, means.transport, means.clock});
}

}  // namespace stepper::engine
