#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <optional>

#include "core/base/text.h"
#include "core/plugin/abi/collector.h"
#include "core/plugin/proving/transcript.h"
#include "core/transport/framer.h"

namespace stepper::plugin {
namespace {

using transport::BodyMode;

// How a framed body is cut up and which line ends it gets; the outcome must not depend on either.
struct Variant {
    std::string_view name;
    bool byte_by_byte = false;
    std::string_view line_end = "\n";
};
constexpr Variant kPlain{"as written"};
constexpr Variant kOthers[] = {
    {"byte by byte", true, "\n"}, {"with CRLF", false, "\r\n"}, {"with CR, byte by byte", true, "\r"}};

std::string_view takeWord(std::string_view& rest) {
    rest = trim(rest);
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest = trim(rest.substr(word.size()));
    return word;
}

std::optional<int64_t> toInt(std::string_view s) {
    int64_t n = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n);
    return error == std::errc{} && end == s.data() + s.size() ? std::optional(n) : std::nullopt;
}

std::string withLineEnds(std::string_view body, std::string_view line_end) {
    std::string out;
    for (const char c : body) {
        if (c == '\n') {
            out += line_end;
        } else {
            out += c;
        }
    }
    return out;
}

std::string describeAction(const Action& a) {
    if (std::holds_alternative<Continue>(a)) return "CONTINUE";
    if (const auto* send = std::get_if<SendSpec>(&a)) return "SEND " + send->method + " " + send->url;
    if (const auto* wait = std::get_if<Wait>(&a)) return "WAIT " + std::to_string(wait->duration.count());
    if (std::holds_alternative<Done>(a)) return "DONE";
    const Error& e = std::get<Error>(a);
    return "FAIL " + std::string(name(e.error_class)) + " status=" + std::to_string(e.http_status) +
           " retry_after_ms=" + (e.retry_after ? std::to_string(e.retry_after->count()) : "none") +
           " code=" + e.provider_code + " message: " + e.message;
}

std::string_view bodyName(BodyMode m) {
    constexpr std::string_view kNames[] = {"whole", "raw", "sse", "lines"};
    return kNames[static_cast<int>(m)];
}

std::string authName(const SendSpec& s) {
    switch (s.auth_mode) {
        case AuthMode::None: return "none";
        case AuthMode::Bearer: return "bearer";
        case AuthMode::Header: return "header:" + s.auth_name;
        case AuthMode::Query: break;
    }
    return "query:" + s.auth_name;
}

// One run of one case. `problem` is empty while all is well; the first one ends the run.
class Run {
public:
    Run(std::shared_ptr<const PluginImage> image, const Transcript& transcript, const Variant& variant)
        : image_(std::move(image)), variant_(variant) {
        configure(transcript.default_config);
    }

    std::string apply(const Directive& d);
    std::string conclude() const {
        if (!begin_error_.empty() || !config_error_.empty()) return {};
        if (!session_) return "the case never begins a session";
        if (!ended() && !cancelled_)
            return "the case ends while the plugin still wants " + describeAction(action_);
        return {};
    }
    bool usedFraming() const { return used_framing_; }

private:
    using Verb = std::string (Run::*)(std::string_view);

    void configure(std::string_view config_json) {
        auto made = Provider::create(image_, config_json);
        config_error_ = made ? std::string{} : made.error().message;
        provider_ = made ? *made : nullptr;
    }
    bool ended() const {
        return std::holds_alternative<Done>(action_) || std::holds_alternative<Error>(action_);
    }
    std::string needSession() const {
        if (!session_) return "no session has begun";
        if (ended()) return "the plugin had already answered " + describeAction(action_);
        return {};
    }
    // Delivers one event, if the session still takes any.
    std::string deliver(const std::function<Action()>& event) {
        if (std::string problem = needSession(); !problem.empty()) return problem;
        action_ = event();
        if (const auto* send = std::get_if<SendSpec>(&action_)) sent_ = *send;
        return {};
    }

    std::string config(std::string_view rest) {
        configure(rest);
        return {};
    }
    std::string begin(std::string_view rest);
    std::string head(std::string_view rest);
    std::string body(std::string_view rest) { return feed(rest, false); }
    std::string cut(std::string_view rest) { return feed(rest, true); }
    std::string feed(std::string_view body, bool breaks_off);
    std::string data(std::string_view rest) {
        return deliver([&] { return session_->data(rest, {}, out_); });
    }
    std::string event(std::string_view rest) {
        const std::string_view event_name = takeWord(rest);
        return deliver([&] { return session_->data(rest, event_name, out_); });
    }
    std::string end(std::string_view) {
        return deliver([&] { return session_->end(out_); });
    }
    std::string io(std::string_view rest) {
        const auto error_class = errorClassOf(takeWord(rest));
        if (!error_class) return "io takes an error class";
        return deliver([&] { return session_->ioError({*error_class, std::string(rest)}, out_); });
    }
    std::string timer(std::string_view) {
        return deliver([&] { return session_->timer(out_); });
    }
    std::string cancel(std::string_view) {
        cancelled_ = true;
        return deliver([&] { return session_->cancel(out_); });
    }
    std::string expect(std::string_view rest);

    std::string expectSend(std::string_view rest) const;
    std::string expectHeader(std::string_view rest) const;
    std::string expectNoHeader(std::string_view name) const;
    std::string expectJson(std::string_view rest) const;
    std::string expectWait(std::string_view rest) const;
    std::string expectEmitted(std::string_view what, const std::string& seen,
                              std::string_view wanted_json) const;
    std::string expectUsage(std::string_view rest) const;
    std::string expectTool(std::string_view rest) const;
    std::string expectFail(std::string_view rest) const;
    std::string expectRefusal(const std::string& seen, std::optional<ErrorClass> seen_class,
                              std::string_view rest) const;

    std::shared_ptr<const PluginImage> image_;
    const Variant& variant_;
    std::shared_ptr<const Provider> provider_;
    std::string config_error_, begin_error_;
    ErrorClass begin_error_class_ = ErrorClass::Internal;
    std::optional<Session> session_;
    Collector out_;
    Action action_ = Continue{};
    SendSpec sent_;
    int status_ = 0;
    bool used_framing_ = false;
    bool cancelled_ = false;  // the plugin may still have wanted its one courtesy request
};

std::string Run::apply(const Directive& d) {
    static const std::map<std::string_view, Verb> kVerbs = {
        {"config", &Run::config}, {"begin", &Run::begin}, {"head", &Run::head},     {"body", &Run::body},
        {"cut", &Run::cut},       {"data", &Run::data},   {"event", &Run::event},   {"end", &Run::end},
        {"io", &Run::io},         {"timer", &Run::timer}, {"cancel", &Run::cancel}, {"expect", &Run::expect}};
    return (this->*kVerbs.at(d.verb))(d.rest);
}

std::string Run::begin(std::string_view rest) {
    static const std::map<std::string_view, Purpose> kPurposes = {{"generate", Purpose::Generate},
                                                                  {"probe", Purpose::Probe},
                                                                  {"warmup", Purpose::Warmup},
                                                                  {"models", Purpose::Models}};
    const auto purpose = kPurposes.find(takeWord(rest));
    if (purpose == kPurposes.end()) return "begin takes generate, probe, warmup or models";
    if (!provider_) return "the configuration was refused: " + config_error_;
    auto session = provider_->begin(purpose->second, rest.empty() ? "{}" : rest);
    if (!session) {
        begin_error_ = session.error().message;
        begin_error_class_ = session.error().error_class;
        return {};
    }
    session_.emplace(std::move(session).value());
    return deliver([&] { return session_->start(out_); });
}

std::string Run::head(std::string_view rest) {
    const auto status = toInt(takeWord(rest));
    if (!status) return "head takes a status";
    status_ = static_cast<int>(*status);
    transport::Headers headers;
    bool dated = false;
    while (!rest.empty()) {
        const std::string_view one = rest.substr(0, rest.find(';'));
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        const size_t colon = one.find(':');
        if (colon == std::string_view::npos) return "a header is NAME: VALUE";
        headers.emplace_back(lower(trim(one.substr(0, colon))), trim(one.substr(colon + 1)));
        dated = dated || headers.back().first == "date";
    }
    if (!dated) headers.emplace_back("date", "Sat, 21 Nov 2026 10:00:00 GMT");
    return deliver([&] { return session_->head(status_, headers, out_); });
}

std::string Run::feed(std::string_view body, bool breaks_off) {
    const bool success = status_ >= 200 && status_ < 300;
    const BodyMode mode = success ? sent_.body_mode : BodyMode::Whole;
    used_framing_ = used_framing_ || mode != BodyMode::Whole;
    const std::string bytes =
        mode == BodyMode::Sse ? withLineEnds(body, variant_.line_end) : std::string(body);
    if (std::string problem = needSession(); !problem.empty()) return problem;

    transport::Framer framer(mode);
    const size_t step = variant_.byte_by_byte ? 1 : std::max<size_t>(bytes.size(), 1);
    const auto drain = [&]() -> std::string {
        while (!ended()) {
            auto frame = framer.next();
            if (!frame) return deliver([&] { return session_->ioError(frame.error(), out_); });
            if (!*frame) return {};
            if (auto problem = deliver([&] { return session_->data((**frame).data, (**frame).name, out_); });
                !problem.empty())
                return problem;
        }
        return {};
    };
    for (size_t i = 0; i < bytes.size() && !ended(); i += step) {
        framer.feed(std::string_view(bytes).substr(i, step));
        if (mode == BodyMode::Whole) continue;
        if (auto problem = drain(); !problem.empty()) return problem;
    }
    if (ended()) return {};
    if (breaks_off)
        return deliver([&] {
            return session_->ioError({ErrorClass::Transport, "the connection broke off"}, out_);
        });
    framer.finish();
    if (auto problem = drain(); !problem.empty() || ended()) return problem;
    return deliver([&] { return session_->end(out_); });
}

std::string Run::expect(std::string_view rest) {
    const std::string_view what = takeWord(rest);
    const Answer& seen = out_.answer();
    if (what == "config-error") return expectRefusal(config_error_, ErrorClass::Config, rest);
    if (what == "begin-error") return expectRefusal(begin_error_, begin_error_class_, rest);
    if (!session_)
        return begin_error_.empty() ? "no session has begun" : "begin was refused: " + begin_error_;
    if (what == "send") return expectSend(rest);
    if (what == "header") return expectHeader(rest);
    if (what == "no-header") return expectNoHeader(rest);
    if (what == "json") return expectJson(rest);
    if (what == "wait") return expectWait(rest);
    if (what == "text") return expectEmitted(what, seen.text, rest);
    if (what == "reasoning") return expectEmitted(what, seen.reasoning, rest);
    if (what == "finish") return seen.finish == rest ? "" : "finish is '" + seen.finish + "'";
    if (what == "usage") return expectUsage(rest);
    if (what == "tool") return expectTool(rest);
    if (what == "fail") return expectFail(rest);
    if (what == "done")
        return std::holds_alternative<Done>(action_) ? "" : "the plugin answered " + describeAction(action_);
    if (what == "meta") {
        const std::string_view pointer = takeWord(rest);
        const auto* value = json::at(seen.meta, pointer);
        if (!value) return "no meta at " + std::string(pointer) + " in " + json::dump(seen.meta);
        return json::dump(*value) == rest ? "" : "meta " + std::string(pointer) + " is " + json::dump(*value);
    }
    return "expect does not know '" + std::string(what) + "'";
}

std::string Run::expectSend(std::string_view rest) const {
    const auto* send = std::get_if<SendSpec>(&action_);
    if (!send) return "the plugin answered " + describeAction(action_);
    const std::string_view method = takeWord(rest), url = takeWord(rest);
    if (send->method != method || send->url != url) return "it sends " + send->method + " " + send->url;
    while (!rest.empty()) {
        const std::string_view option = takeWord(rest);
        const std::string body = "body=" + std::string(bodyName(send->body_mode)),
                          auth = "auth=" + authName(*send);
        if (option != (option.starts_with("body=") ? body : auth))
            return "it sends with " + body + " " + auth;
    }
    return {};
}

std::string Run::expectHeader(std::string_view rest) const {
    const size_t colon = rest.find(':');
    const std::string_view wanted = rest.substr(0, colon);
    const std::string_view value = colon == std::string_view::npos ? "" : trim(rest.substr(colon + 1));
    for (const auto& [header, seen] : sent_.headers)
        if (equalsIgnoreCase(header, wanted))
            return seen == value ? "" : "header " + header + " is '" + seen + "'";
    return "no header " + std::string(wanted) + " was sent";
}

std::string Run::expectNoHeader(std::string_view unwanted) const {
    for (const auto& [header, seen] : sent_.headers)
        if (equalsIgnoreCase(header, unwanted)) return "header " + header + " was sent";
    return {};
}

std::string Run::expectJson(std::string_view rest) const {
    const std::string_view pointer = takeWord(rest);
    const auto body = json::parse(sent_.body);
    if (!body) return "the body sent is not JSON: " + sent_.body;
    const auto* value = json::at(*body, pointer == "\"\"" ? "" : pointer);
    if (rest == "absent") return value ? std::string(pointer) + " is " + json::dump(*value) : "";
    if (!value) return "nothing at " + std::string(pointer) + " in " + sent_.body;
    const auto wanted = json::parse(rest);
    if (!wanted) return "the expected value is not JSON";
    return *value == *wanted ? "" : std::string(pointer) + " is " + json::dump(*value);
}

std::string Run::expectWait(std::string_view rest) const {
    const auto* wait = std::get_if<Wait>(&action_);
    return wait && toInt(rest) == wait->duration.count() ? ""
                                                         : "the plugin answered " + describeAction(action_);
}

std::string Run::expectEmitted(std::string_view what, const std::string& seen,
                               std::string_view wanted_json) const {
    const auto wanted = json::parse(wanted_json);
    if (!wanted || !wanted->IsString()) return "expect " + std::string(what) + " takes a JSON string";
    return json::view(*wanted) == seen ? "" : std::string(what) + " is '" + seen + "'";
}

std::string Run::expectUsage(std::string_view rest) const {
    const auto wanted = json::parse(rest);
    if (!wanted || !wanted->IsObject()) return "expect usage takes a JSON object";
    const Tokens& u = out_.answer().usage;
    const std::map<std::string_view, std::optional<int64_t>> seen = {{"prompt_tokens", u.prompt},
                                                                     {"completion_tokens", u.completion},
                                                                     {"total_tokens", u.total},
                                                                     {"reasoning_tokens", u.reasoning},
                                                                     {"cached_tokens", u.cached}};
    for (const auto& [key, value] : wanted->GetObject()) {
        const auto it = seen.find(json::view(key));
        if (it == seen.end()) return "usage has no member " + std::string(json::view(key));
        const bool same = value.IsNull() ? !it->second : value.IsInt64() && it->second == value.GetInt64();
        if (!same)
            return std::string(it->first) + " is " + (it->second ? std::to_string(*it->second) : "absent");
    }
    return {};
}

std::string Run::expectTool(std::string_view rest) const {
    const auto wanted = json::parse(rest);
    if (!wanted) return "expect tool takes JSON";
    const auto& seen = out_.answer().tool_calls;
    return static_cast<const json::Value&>(seen) == *wanted ? "" : "tool calls are " + json::dump(seen);
}

std::string Run::expectFail(std::string_view rest) const {
    const auto* error = std::get_if<Error>(&action_);
    std::string seen = "the plugin answered " + describeAction(action_);
    if (!error || errorClassOf(takeWord(rest)) != error->error_class) return seen;
    while (!rest.empty()) {
        if (rest.starts_with("message~"))
            return error->message.find(rest.substr(8)) != std::string::npos ? "" : seen;
        const std::string_view option = takeWord(rest);
        const size_t equals = option.find('=');
        const std::string_view key = option.substr(0, equals);
        const std::string_view value = equals == std::string_view::npos ? "" : option.substr(equals + 1);
        const std::string retry = error->retry_after ? std::to_string(error->retry_after->count()) : "none";
        const std::map<std::string_view, std::string> known = {{"status", std::to_string(error->http_status)},
                                                               {"retry_after_ms", retry},
                                                               {"code", error->provider_code}};
        const auto it = known.find(key);
        if (it == known.end()) return "expect fail does not know '" + std::string(key) + "'";
        if (it->second != value) return seen;
    }
    return {};
}

std::string Run::expectRefusal(const std::string& seen, std::optional<ErrorClass> seen_class,
                               std::string_view rest) const {
    if (seen.empty()) return "it was accepted";
    if (!rest.empty() && !rest.starts_with("message~") && errorClassOf(takeWord(rest)) != seen_class)
        return "it was refused as " + std::string(name(*seen_class)) + ": " + seen;
    if (rest.starts_with("message~") && seen.find(rest.substr(8)) == std::string::npos)
        return "it was refused with: " + seen;
    return {};
}

std::optional<TranscriptFailure> runVariant(const std::shared_ptr<const PluginImage>& image,
                                            const Transcript& transcript, const TranscriptCase& test,
                                            const Variant& variant, bool& used_framing) {
    Run run(image, transcript, variant);
    const auto failure = [&](int line, std::string problem) {
        return TranscriptFailure{line,
                                 test.title + " (" + std::string(variant.name) + "): " + std::move(problem)};
    };
    for (const auto& d : test.directives)
        if (std::string problem = run.apply(d); !problem.empty()) return failure(d.line, problem);
    used_framing = run.usedFraming();
    if (std::string problem = run.conclude(); !problem.empty()) return failure(test.line, problem);
    return std::nullopt;
}

}  // namespace

std::vector<TranscriptFailure> runCase(const std::shared_ptr<const PluginImage>& image,
                                       const Transcript& transcript, const TranscriptCase& test) {
    bool used_framing = false;
    std::vector<TranscriptFailure> failures;
    if (auto f = runVariant(image, transcript, test, kPlain, used_framing)) failures.push_back(std::move(*f));
    if (!used_framing || !failures.empty()) return failures;
    for (const auto& variant : kOthers)
        if (auto f = runVariant(image, transcript, test, variant, used_framing))
            failures.push_back(std::move(*f));
    return failures;
}

}  // namespace stepper::plugin
