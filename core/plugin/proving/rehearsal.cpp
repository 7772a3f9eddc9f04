#include "core/plugin/proving/rehearsal.h"

#include <array>
#include <optional>

namespace stepper::plugin {
namespace {

constexpr int kMaxEvents = 64;

constexpr std::array<std::string_view, 2> kRequests = {
    R"({"model":"m-1","messages":[{"role":"user","content":"Say ok."}],"max_tokens":16,"stream":false})",
    R"({"model":"m-1","messages":[{"role":"user","content":"Say ok."}],"max_tokens":16,"stream":true})"};

// What the pretended provider does with every request of a session.
struct Scene {
    std::string_view name;  // follows "on"
    int status = 0;         // 0: the connection breaks off
    std::string_view body;
    bool must_fail = false;
    std::string_view retry_after = {};
};
constexpr Scene kScenes[] = {
    {"a 500", 500, R"({"error":{"message":"something broke","type":"server_error"}})", true},
    {"a 429", 429, R"({"error":{"message":"slow down","type":"rate_limit"}})", true, "7"},
    {"a broken connection", 0, "", true},
    {"an empty answer", 200, ""},
    {"an answer that is no JSON", 200, "garbage, not JSON"},
    {"an answer cut off inside its JSON", 200, R"({"choices":[{"message":{"content":"o)"},
    {"an answer of an unexpected shape", 200, R"([{"choices":7},null,"text"])"},
    {"an answer that is not UTF-8", 200, "\xff\xfe\x80 {\"a\":\xc3"},
};

bool isInternal(const Action& action) {
    const auto* error = std::get_if<Error>(&action);
    return error && error->error_class == ErrorClass::Internal;
}

Error wrong(std::string_view scene, const std::string& what) {
    return Error{ErrorClass::Config, "in a dry run, on " + std::string(scene) + ": " + what};
}

// One session. Each call delivers at most kMaxEvents in all; past them the plugin counts as endless.
class Take {
public:
    explicit Take(Session session) : session_(std::move(session)) {}

    // Delivers START and waits as often as asked, until the plugin wants to send or is done. None: endless.
    std::optional<Action> open() { return throughWaits(session_.start(out_)); }

    // Answers every request in the same way until the plugin is done. None: endless.
    std::optional<Action> play(const Scene& scene) {
        while (auto action = throughWaits(exchange(scene)))
            if (hasEnded(*action)) return action;
        return std::nullopt;
    }

    Action head(int status) { return session_.head(status, headers({}), out_); }
    Action cancel() { return session_.cancel(out_); }

private:
    static transport::Headers headers(const Scene& scene) {
        transport::Headers out = {{"content-type", "application/json"},
                                  {"date", "Sat, 21 Nov 2026 10:00:00 GMT"}};
        if (!scene.retry_after.empty()) out.emplace_back("retry-after", scene.retry_after);
        return out;
    }

    std::optional<Action> throughWaits(Action action) {
        while (std::holds_alternative<Wait>(action) && ++events_ < kMaxEvents) action = session_.timer(out_);
        if (events_ >= kMaxEvents && !hasEnded(action)) return std::nullopt;
        return action;
    }

    Action exchange(const Scene& scene) {
        events_ += 3;
        if (scene.status == 0) return session_.ioError({ErrorClass::Transport, "connection reset"}, out_);
        Action action = session_.head(scene.status, headers(scene), out_);
        if (!hasEnded(action)) action = session_.data(scene.body, {}, out_);
        return hasEnded(action) ? action : session_.end(out_);
    }

    Session session_;
    Unheard out_;
    int events_ = 0;
};

const Error& errorOf(const Action& action) { return *std::get_if<Error>(&action); }

Result<void> judge(const Scene& scene, const std::optional<Action>& action) {
    if (!action)
        return wrong(scene.name, "it had not finished after " + std::to_string(kMaxEvents) + " events");
    if (isInternal(*action)) return wrong(scene.name, errorOf(*action).message);
    if (scene.must_fail && std::holds_alternative<Done>(*action))
        return wrong(scene.name, "it answered DONE instead of FAIL");
    return {};
}

// Begins and opens one session; none when the plugin does not send for such a request.
Result<std::optional<Take>> opened(const Provider& provider, std::string_view request) {
    constexpr Scene kStart{"START", 0, ""};
    auto session = provider.begin(Purpose::Generate, request);
    if (!session && session.error().error_class == ErrorClass::Internal)
        return wrong("a small chat request", session.error().message);
    if (!session) return std::optional<Take>{};
    Take take(std::move(session).value());
    const auto action = take.open();
    if (auto judged = judge(kStart, action); !judged) return std::move(judged).error();
    if (hasEnded(*action)) return std::optional<Take>{};
    return std::optional<Take>(std::move(take));
}

// Cancels before anything was heard (status 0), or after the head of an answer.
Result<void> cancelled(const Provider& provider, std::string_view request, int status) {
    const std::string_view scene = status ? "a cancel inside the answer" : "a cancel right after SEND";
    auto take = opened(provider, request);
    if (!take) return std::move(take).error();
    if (!*take) return {};
    Action action = status ? (*take)->head(status) : Action(Continue{});
    if (!hasEnded(action)) action = (*take)->cancel();
    if (isInternal(action)) return wrong(scene, errorOf(action).message);
    return {};
}

Result<void> played(const Provider& provider, std::string_view request, const Scene& scene) {
    auto take = opened(provider, request);
    if (!take) return std::move(take).error();
    if (!*take) return {};
    return judge(scene, (*take)->play(scene));
}

Result<void> rehearse(const Provider& provider, std::string_view request) {
    for (const Scene& scene : kScenes)
        if (auto passed = played(provider, request, scene); !passed) return passed;
    for (const int status : {0, 200})
        if (auto passed = cancelled(provider, request, status); !passed) return passed;
    return {};
}

}  // namespace

Result<void> dryRun(const std::shared_ptr<const Provider>& provider) {
    for (const auto request : kRequests)
        if (auto done = rehearse(*provider, request); !done) return done;
    return {};
}

}  // namespace stepper::plugin
