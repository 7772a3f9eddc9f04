#include <cstdio>
#include <iostream>
#include <iterator>

#include "core/api/answer.h"
#include "core/app/client.h"
#include "core/app/host.h"
#include "core/app/verbs.h"
#include "core/base/id.h"
#include "core/telemetry/log.h"

namespace stepper::app {
namespace {

constexpr std::chrono::seconds kDeadline{120};

engine::GenerateRequest requestFor(const std::string& prompt, bool json_mode) {
    auto body = std::make_shared<json::Document>(rapidjson::kObjectType);
    json::set(*body, "prompt", prompt, body->GetAllocator());
    engine::GenerateRequest out;
    out.subject = engine::GenericPrompt{std::move(body)};
    out.mode = json_mode ? output::Mode::Json : output::Mode::Text;
    return out;
}

int queueIt(const Options& options, const std::string& prompt) {
    auto client = Client::make(options);
    if (!client) {
        std::fprintf(stderr, "%s\n", client.error().message.c_str());
        return kExitConfig;
    }
    json::Document body(rapidjson::kObjectType);
    json::set(body, "prompt", prompt, body.GetAllocator());
    json::set(body, "responseMode", options.json ? "json" : "text", body.GetAllocator());
    const auto answer = client->call("POST", "/v1/generate", json::dump(body));
    if (!answer || answer->status >= 300) {
        std::fprintf(stderr, "%s\n", answer ? problemOf(*answer).c_str() : answer.error().message.c_str());
        return kExitFailure;
    }
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

}  // namespace

int generate(const Options& options) {
    if (options.words.size() != 1) {
        std::fprintf(stderr, "stepper generate takes one PROMPT, or - to read it from standard input\n");
        return kExitUsage;
    }
    std::string prompt = options.words.front();
    if (prompt == "-") prompt.assign(std::istreambuf_iterator<char>(std::cin), {});
    if (options.async) return queueIt(options, prompt);
    auto config = loadConfig(options);
    if (!config) {
        std::fprintf(stderr, "%s\n", config.error().message.c_str());
        return kExitConfig;
    }
    log::init("warn", "text");

    Host host(std::move(config).value());
    CancelToken cancel;
    const auto outcome = host.engine().generate(requestFor(prompt, options.json),
                                                std::chrono::steady_clock::now() + kDeadline, cancel);
    if (options.json) {
        std::printf("%s\n", api::immediateAnswer(outcome, false, newId()).body.c_str());
    } else {
        for (const auto& record : outcome.attempts) tell(record);
        if (outcome.failure) std::fprintf(stderr, "%s\n", outcome.failure->message.c_str());
        if (!outcome.failure && outcome.result.IsString()) std::printf("%s\n", outcome.result.GetString());
    }
    return outcome.failure || outcome.fallback ? kExitFailure : kExitOk;
}

}  // namespace stepper::app
