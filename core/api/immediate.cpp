// Work whose answer is waited for.
#include <algorithm>
#include <charconv>

#include "core/api/answer.h"
#include "core/api/generate_request.h"
#include "core/api/rate_headers.h"
#include "core/api/refusal.h"
#include "core/api/request_remarks.h"
#include "core/api/routes.h"
#include "core/engine/plan.h"

namespace stepper::api {
namespace {

constexpr milliseconds kDefaultDuration{60'000};
constexpr milliseconds kMaxDuration{3'600'000};

// A positive whole number in a header; nonsense counts as absent.
std::optional<milliseconds> timeoutHeader(const http::Request& request, std::string_view lower_name,
                                          milliseconds unit) {
    const std::string_view text = request.header(lower_name);
    int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || end != text.data() + text.size() || n <= 0 || n > kMaxDuration / unit)
        return std::nullopt;
    return n * unit;
}

// The earliest of what the body, our header and the OpenAI SDK's header ask for. One deadline covers
// everything. Ours is honoured or refused; a client library sends the other one unasked.
Result<SteadyTime> deadlineOf(const http::Request& request, std::optional<milliseconds> max_duration) {
    milliseconds d = max_duration.value_or(kDefaultDuration);
    if (const auto ms = timeoutHeader(request, "x-request-timeout-ms", milliseconds{1})) {
        d = max_duration ? std::min(d, *ms) : *ms;
    } else if (!request.header("x-request-timeout-ms").empty()) {
        return refusal("Invalid X-Request-Timeout-Ms: expected whole milliseconds from 1 to 3600000");
    }
    if (const auto s = timeoutHeader(request, "x-stainless-timeout", milliseconds{1'000}))
        d = std::min(d, *s);
    return request.received + d;
}

http::Response cutByDrain(const http::Request& request) {
    return http::Response::unavailable("CANCELLED", "The server is shutting down; send the request again",
                                       request.id);
}

class Immediate {
public:
    explicit Immediate(const ApiDeps& deps) : deps_(deps) {}

    http::Response generate(const http::Request& request) const {
        return answer(request, parseRequest(RequestKind::Generate, request.body, Use::Immediate));
    }
    http::Response report(const http::Request& request) const {
        return answer(request, parseRequest(RequestKind::Report, request.body, Use::Immediate));
    }

private:
    http::Response answer(const http::Request& request, const Result<ParsedRequest>& parsed) const;

    const ApiDeps deps_;
};

http::Response Immediate::answer(const http::Request& request, const Result<ParsedRequest>& parsed) const {
    if (!parsed) return badRequest(parsed.error(), request.id);
    const ParsedRequest& wanted = *parsed;
    const auto deadline = deadlineOf(request, wanted.max_duration);
    if (!deadline) return badRequest(deadline.error(), request.id);
    Remarks remarks = wanted.remarks;
    remarkOnProviders(wanted.request, *deps_.snapshots.get(), remarks);
    remarkOnQuery(request, {}, remarks);
    remarkOnHeaders(request, Use::Immediate, remarks);
    if (wanted.strict && !remarks.empty()) return badRequest(remarks.refusal(), request.id);
    if (const auto problem = engine::modelProblem(*deps_.snapshots.get(), wanted.request))
        return badRequest(problem->message, request.id);
    engine::RunOptions options;
    options.id = request.id;
    const auto outcome = deps_.engine.generate(wanted.request, *deadline, *request.cancel, options);
    if (outcome.failure && deps_.draining && request.cancel->check() == CancelReason::Draining)
        return cutByDrain(request);
    auto out = immediateAnswer(outcome, wanted.kind, request.id, remarks.warnings());
    addRateLimit(out, *deps_.snapshots.get(), deps_.clock.now());
    return out;
}

}  // namespace

Routes immediateRoutes(const ApiDeps& deps) {
    using http::Body, http::Role;
    const auto immediate = std::make_shared<const Immediate>(deps);
    return {
        {"POST", "/v1/generate/immediate", "Generate and wait for the answer", Body::Json, Role::Client,
         on(immediate, &Immediate::generate)},
        {"POST", "/v1/reports/immediate", "Generate a commit report and wait for it", Body::Json,
         Role::Client, on(immediate, &Immediate::report)},
    };
}

}  // namespace stepper::api
