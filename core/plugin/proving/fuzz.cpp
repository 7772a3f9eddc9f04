#include "core/plugin/proving/fuzz.h"

#include <algorithm>
#include <deque>
#include <optional>

#include <sys/resource.h>

#include "core/base/text.h"
#include "core/base/units.h"
#include "core/plugin/proving/fuzz_input.h"

namespace stepper::plugin {
namespace {

constexpr int kMaxEvents = 400;  // of a session; from half of them on every exchange breaks off
constexpr int kMaxPieces = 24;   // DATA events of one response
constexpr size_t kShownBytes = 60, kMaxErrorBody = 64u << 10, kToldEvents = 12;
constexpr int kTries = 3;

std::string shown(std::string_view bytes) {
    std::string out = std::to_string(bytes.size()) + " bytes '";
    for (const char c : bytes.substr(0, kShownBytes)) {
        constexpr char kHex[] = "0123456789abcdef";
        const auto u = static_cast<unsigned char>(c);
        if (u < 32 || u > 126) {
            out.append({'\\', 'x', kHex[u >> 4], kHex[u & 15]});
        } else {
            out += c;
        }
    }
    return out + (bytes.size() > kShownBytes ? "...'" : "'");
}

// How long a call kept its thread, by computing or by blocking. That others ran meanwhile is not held against
// it.
class Stopwatch {
public:
    std::chrono::nanoseconds elapsed() const {
        const rusage now = usage();
        if (now.ru_nvcsw != began_usage_.ru_nvcsw) return std::chrono::steady_clock::now() - began_;
        return cpu(now) - cpu(began_usage_);
    }

private:
    static rusage usage() {
        rusage u{};
        ::getrusage(RUSAGE_THREAD, &u);
        return u;
    }
    static std::chrono::microseconds cpu(const rusage& u) {
        const auto of = [](const timeval& t) {
            return std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_usec};
        };
        return of(u.ru_utime) + of(u.ru_stime);
    }

    const SteadyTime began_ = std::chrono::steady_clock::now();
    const rusage began_usage_ = usage();
};

// One session of one seed.
class Play {
public:
    Play(const Provider& provider, uint64_t seed, const Fuzzing& how)
        : provider_(provider), how_(how), seed_(seed), input_(seed, how.corpus) {}

    // What the plugin did wrong, "" when nothing.
    std::string run();
    int events() const { return events_; }
    std::chrono::nanoseconds slowest() const { return slowest_; }
    const std::string& slowestEvent() const { return slowest_event_; }
    // The last of its events.
    std::string trail() const;

private:
    Action timed(std::string event, const std::function<Action()>& call);
    Action exchange(Session& session, transport::BodyMode mode);
    Action breakOff(Session& session);
    Action cancel(Session& session);
    Action piece(Session& session, std::string body, bool named);
    bool impatient() const { return events_ >= kMaxEvents / 2; }

    const Provider& provider_;
    const Fuzzing& how_;
    const uint64_t seed_;
    FuzzInput input_;
    Unheard out_;
    std::deque<std::string> told_;
    std::string slowest_event_;
    const bool cancels_ = input_.chance(20);  // most sessions go on to their end
    int events_ = 0;
    std::chrono::nanoseconds slowest_{0};
};

std::string Play::trail() const {
    std::string out = "seed " + std::to_string(seed_) + ", events: ";
    if (events_ > static_cast<int>(told_.size())) out += "...; ";
    for (const auto& event : told_) out += (&event == &told_.front() ? "" : "; ") + event;
    return out;
}

Action Play::timed(std::string event, const std::function<Action()>& call) {
    told_.push_back(event);
    if (told_.size() > kToldEvents) told_.pop_front();
    ++events_;
    if (how_.listener) how_.listener(trail());
    const Stopwatch watch;
    Action action = call();
    if (const auto took = watch.elapsed(); took > slowest_) {
        slowest_ = took;
        slowest_event_ = std::move(event);
    }
    return action;
}

Action Play::breakOff(Session& session) {
    constexpr ErrorClass kClasses[] = {ErrorClass::Transport, ErrorClass::Timeout, ErrorClass::BadResponse};
    const Error error{kClasses[input_.below(3)], "the connection broke off"};
    return timed("IO_ERROR " + std::string(name(error.error_class)),
                 [&] { return session.ioError(error, out_); });
}

// A request in the answer is a courtesy nobody hears the reply to.
Action Play::cancel(Session& session) {
    Action action = timed("CANCEL", [&] { return session.cancel(out_); });
    return hasEnded(action) ? action : Done{};
}

Action Play::piece(Session& session, std::string body, bool named) {
    const std::string event = named ? input_.eventName() : "";
    return timed("DATA " + (event.empty() ? "" : "(" + shown(event) + ") ") + shown(body),
                 [&] { return session.data(body, event, out_); });
}

Action Play::exchange(Session& session, transport::BodyMode mode) {
    if (impatient() || input_.chance(5)) return breakOff(session);
    if (cancels_ && input_.chance(10)) return cancel(session);
    const int status = input_.status();
    const auto headers = input_.headers();
    Action action =
        timed("HEAD " + std::to_string(status) + " with " + std::to_string(headers.size()) + " headers",
              [&] { return session.head(status, headers, out_); });

    const bool success = status >= 200 && status < 300;
    const bool whole = !success || mode == transport::BodyMode::Whole;
    const size_t pieces = whole ? 1 : input_.below(kMaxPieces + 1);
    for (size_t i = 0; i < pieces && !hasEnded(action); ++i) {
        if (cancels_ && input_.chance(10)) return cancel(session);
        if (input_.chance(2)) return breakOff(session);
        std::string body = input_.body();
        if (!success) body.resize(std::min(body.size(), kMaxErrorBody));
        if (success && mode == transport::BodyMode::Lines) std::replace(body.begin(), body.end(), '\n', ' ');
        if (body.empty() && !whole && mode != transport::BodyMode::Sse) continue;
        action = piece(session, std::move(body), mode == transport::BodyMode::Sse && !whole);
    }
    if (hasEnded(action)) return action;
    if (input_.chance(5)) return breakOff(session);
    return timed("END", [&] { return session.end(out_); });
}

std::string Play::run() {
    constexpr Purpose kPurposes[] = {Purpose::Probe, Purpose::Warmup, Purpose::Models};
    const Purpose purpose = input_.chance(90) ? Purpose::Generate : kPurposes[input_.below(3)];
    const std::string request = input_.request();
    std::optional<Session> session;
    Action action =
        timed("BEGIN " + std::to_string(static_cast<int>(purpose)) + " " + request, [&]() -> Action {
            auto begun = provider_.begin(purpose, request);
            if (!begun) return begun.error();
            session.emplace(std::move(begun).value());
            return Continue{};
        });
    if (session) action = timed("START", [&] { return session->start(out_); });
    while (!hasEnded(action) && events_ < kMaxEvents) {
        if (const auto* send = std::get_if<SendSpec>(&action)) {
            action = exchange(*session, send->body_mode);
        } else if (cancels_ && input_.chance(10)) {
            action = cancel(*session);
        } else {
            action = timed("TIMER", [&] { return session->timer(out_); });
        }
    }
    if (!hasEnded(action)) return "it had not finished after " + std::to_string(events_) + " events";
    const auto* error = std::get_if<Error>(&action);
    return error && error->error_class == ErrorClass::Internal ? error->message : "";
}

}  // namespace

Result<FuzzReport> fuzz(const std::shared_ptr<const Provider>& provider, const Fuzzing& how) {
    FuzzReport report;
    uint64_t seed = how.seed;
    do {
        // What the machine was busy with is not slow three times in a row.
        for (int attempt = 1;; ++attempt) {
            Play play(*provider, seed, how);
            if (const std::string problem = play.run(); !problem.empty())
                return Error{ErrorClass::Config, problem + "; " + play.trail()};
            if (play.slowest() > kSlowestStep && attempt < kTries) continue;
            if (play.slowest() > kSlowestStep)
                return Error{ErrorClass::Config,
                             "a step took " +
                                 formatDuration(std::chrono::duration_cast<milliseconds>(play.slowest())) +
                                 ": " + play.slowestEvent() + " (seed " + std::to_string(seed) + ")"};
            report.events += static_cast<uint64_t>(play.events());
            if (play.slowest() > report.slowest) {
                report.slowest = play.slowest();
                report.slowest_event = play.slowestEvent();
            }
            break;
        }
        ++report.sessions;
        ++seed;
    } while (std::chrono::steady_clock::now() < how.until);
    return report;
}

}  // namespace stepper::plugin
