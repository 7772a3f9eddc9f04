#include <cstdio>

#include "core/api/answer.h"
#include "core/app/client.h"
#include "core/app/configuration.h"
#include "core/app/program.h"
#include "core/app/verbs.h"
#include "core/base/id.h"
#include "core/engine/engine.h"
#include "core/prompt/generic_prompt.h"

namespace stepper::app {
namespace {

constexpr std::chrono::seconds kDeadline{120};

// What it asks, as a request's body says it.
json::Document bodyFor(const Options& options, const std::string& prompt) {
    json::Document body(rapidjson::kObjectType);
    auto& a = body.GetAllocator();
    json::set(body, "prompt", prompt, a);
    if (options.system) json::set(body, "system", *options.system, a);
    return body;
}

engine::GenerateRequest requestFor(const Options& options, const std::string& prompt) {
    engine::GenerateRequest out;
    out.question = std::make_shared<const prompt::GenericPrompt>(
        std::make_shared<const json::Document>(bodyFor(options, prompt)),
        options.json ? output::Mode::Json : output::Mode::Text);
    out.temperature = options.temperature;
    out.model = options.model.value_or("");
    return out;
}

int queueIt(const Options& options, const std::string& prompt) {
    auto client = Client::make(options);
    if (!client) return complain(client.error().message, kExitConfig);
    json::Document body = bodyFor(options, prompt);
    auto& a = body.GetAllocator();
    json::set(body, "responseMode", options.json ? "json" : "text", a);
    if (options.model) json::set(body, "model", *options.model, a);
    if (options.temperature) json::set(body, "temperature", json::Value(*options.temperature), a);
    const auto answer = client->call("POST", "/v1/generate", json::dump(body));
    if (!answer) return complain(answer.error().message);
    if (answer->status >= 300) return complain(problemOf(*answer));
    // A cached answer needs no job.
    const auto id = json::string(answer->body, "jobId");
    std::printf("%s\n", id ? std::string(*id).c_str() : answer->text.c_str());
    return kExitOk;
}

void tell(const engine::AttemptRecord& r) {
    const std::string what = !r.skipped.empty() ? "skipped, " + r.skipped
                             : r.error          ? std::string(r.error_code) + ": " + r.error->message
                                       : "answered in " + std::to_string(r.duration->count()) + " ms";
    std::fprintf(stderr, "%s: %s\n", r.provider.c_str(), what.c_str());
}

// Text as it is, anything else as JSON.
void print(const std::string& result) {
    const auto answer = json::parse(result);
    const std::string_view text = answer && answer->IsString() ? json::view(*answer) : result;
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::putchar('\n');
}

}  // namespace

int generate(const Options& options) {
    if (options.server && !options.async)
        return complain("generate asks no server; --server goes with --async", kExitUsage);
    const auto prompt = promptOf(options);
    if (!prompt) return kExitUsage;
    if (options.async) return queueIt(options, *prompt);
    auto config = loadConfig(options);
    if (!config) return complain(config.error().message, kExitConfig);
    // Whoever reads standard output would take the template of a failure for the answer.
    config->fallback_enabled = config->fallback_when_limited = false;
    openLog("warn", "text");

    runtime::Host host(std::move(config).value(), home());
    engine::Engine engine({host.snapshots(), host.transport(), host.metrics(), host.clock()});
    CancelToken cancel;
    const auto outcome =
        engine.generate(requestFor(options, *prompt), std::chrono::steady_clock::now() + kDeadline, cancel);
    const bool answered = !outcome.failure && !outcome.fallback;
    if (options.json) {
        std::fprintf(answered ? stdout : stderr, "%s\n",
                     api::immediateAnswer(outcome, jobs::RequestKind::Generate, newId()).body.c_str());
    } else {
        for (const auto& record : outcome.attempts) tell(record);
        for (const auto& warning : outcome.warnings) complain("warning: " + warning);
        if (outcome.failure) complain(outcome.failure->message);
        if (outcome.truncated) complain("the answer was cut off by its token limit");
        if (answered) print(outcome.result);
    }
    return answered ? kExitOk : kExitFailure;
}

}  // namespace stepper::app
