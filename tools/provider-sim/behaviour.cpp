#include "tools/provider-sim/behaviour.h"

#include <limits>

#include "tools/provider-sim/strict.h"

namespace stepper::sim {
namespace {

using V = json::Value;
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kDayMs = 86'400'000;

constexpr std::pair<std::string_view, Then> kThens[] = {
    {"last", Then::Last}, {"repeat", Then::Repeat}, {"ok", Then::Ok}};
constexpr std::pair<std::string_view, Window> kWindows[] = {{"sliding", Window::Sliding},
                                                            {"fixed", Window::Fixed}};
constexpr std::pair<std::string_view, Flavor> kFlavors[] = {{"openai", Flavor::OpenAi},
                                                            {"groq", Flavor::Groq},
                                                            {"deepseek", Flavor::DeepSeek},
                                                            {"mistral", Flavor::Mistral},
                                                            {"openrouter", Flavor::OpenRouter},
                                                            {"cerebras", Flavor::Cerebras},
                                                            {"xai", Flavor::Xai},
                                                            {"nvidia", Flavor::Nvidia},
                                                            {"perplexity", Flavor::Perplexity},
                                                            {"ollama", Flavor::Ollama},
                                                            {"llamacpp", Flavor::LlamaCpp},
                                                            {"vllm", Flavor::Vllm},
                                                            {"together", Flavor::Together},
                                                            {"lmstudio", Flavor::LmStudio}};

bool readMilliseconds(const V& v, milliseconds& out, int64_t min = 0) {
    int64_t ms = 0;
    if (!readNumber(v, ms, min, kDayMs)) return false;
    out = milliseconds(ms);
    return true;
}

constexpr std::string_view kMilliseconds = "milliseconds, at most a day";
constexpr std::string_view kPositive = "a positive number";

constexpr Member<Latency> kLatency[] = {
    {"min", kMilliseconds, [](const V& v, Latency& l) { return readMilliseconds(v, l.min); }},
    {"max", kMilliseconds, [](const V& v, Latency& l) { return readMilliseconds(v, l.max); }},
    {"seed", "a number", [](const V& v, Latency& l) { return readNumber(v, l.seed, 0, kMax); }},
};

bool readLatency(const V& v, Latency& out) {
    if (v.IsNumber()) return readMilliseconds(v, out.min) && readMilliseconds(v, out.max);
    return readObject<Latency>(v, kLatency, out, "latency_ms") && out.min <= out.max;
}

constexpr Member<QuotaRule> kQuota[] = {
    {"requests", kPositive, [](const V& v, QuotaRule& q) { return readNumber(v, q.requests, 1, kMax); }},
    {"tokens", kPositive, [](const V& v, QuotaRule& q) { return readNumber(v, q.tokens, 1, kMax); }},
    {"per_ms", kMilliseconds, [](const V& v, QuotaRule& q) { return readMilliseconds(v, q.per, 1); }},
    {"kind", "'sliding' or 'fixed'",
     [](const V& v, QuotaRule& q) { return readChoice<Window>(v, q.window, kWindows); }},
};

bool readProbability(const V& v, double& out) {
    if (!v.IsNumber() || v.GetDouble() < 0 || v.GetDouble() > 1) return false;
    out = v.GetDouble();
    return true;
}

constexpr Member<FailRate> kFailRate[] = {
    {"p", "a probability", [](const V& v, FailRate& f) { return readProbability(v, f.p); }},
    {"status", "a status from 400 to 599",
     [](const V& v, FailRate& f) { return readNumber(v, f.status, 400, 599); }},
    {"seed", "a number", [](const V& v, FailRate& f) { return readNumber(v, f.seed, 0, kMax); }},
};

constexpr Member<Sleep> kSleep[] = {
    {"calls", kPositive, [](const V& v, Sleep& s) { return readNumber(v, s.calls, 1, kMax); }},
    {"ms", kMilliseconds, [](const V& v, Sleep& s) { return readMilliseconds(v, s.ms, 1); }},
};

// Steps report their own place, which a yes or no would lose: parseBehaviour reads these two.
bool readLater(const V&, Behaviour&) { return true; }

constexpr Member<Behaviour> kMembers[] = {
    {"steps", "an array of steps", readLater},
    {"probe", "a step", readLater},
    {"then", "'last', 'repeat' or 'ok'",
     [](const V& v, Behaviour& b) { return readChoice<Then>(v, b.then, kThens); }},
    {"answer", "any JSON",
     [](const V& v, Behaviour& b) {
         b.answer = v.IsString() ? std::string(json::view(v)) : json::dump(v);
         return true;
     }},
    {"flavor",
     "openai, groq, deepseek, mistral, openrouter, cerebras, xai, nvidia, perplexity, ollama, llamacpp, "
     "vllm, together "
     "or lmstudio",
     [](const V& v, Behaviour& b) { return readChoice<Flavor>(v, b.format.flavor, kFlavors); }},
    {"key", "a string", [](const V& v, Behaviour& b) { return readText(v, b.key); }},
    {"latency_ms", "milliseconds or an object of min, max and seed",
     [](const V& v, Behaviour& b) { return readLatency(v, b.latency); }},
    {"quota", "an object of requests, tokens, per_ms and kind",
     [](const V& v, Behaviour& b) {
         return readObject<QuotaRule>(v, kQuota, b.quota.emplace(), "quota").ok();
     }},
    {"max_concurrency", kPositive,
     [](const V& v, Behaviour& b) { return readNumber(v, b.max_concurrency, 1, kMax); }},
    {"fail_rate", "an object of p, status and seed",
     [](const V& v, Behaviour& b) {
         return readObject<FailRate>(v, kFailRate, b.fail_rate, "fail_rate").ok();
     }},
    {"sleep", "an object of calls or ms",
     [](const V& v, Behaviour& b) { return readObject<Sleep>(v, kSleep, b.sleep, "sleep").ok(); }},
    {"rate_limit_headers", "true or false",
     [](const V& v, Behaviour& b) { return readFlag(v, b.rate_limit_headers); }},
    {"chunk_bytes", kPositive,
     [](const V& v, Behaviour& b) { return readNumber(v, b.format.chunk_bytes, 1, 1 << 20); }},
    {"chunk_delay_ms", kMilliseconds,
     [](const V& v, Behaviour& b) { return readMilliseconds(v, b.chunk_delay); }},
    {"gradio", "a major version from 4 to 6",
     [](const V& v, Behaviour& b) { return readNumber(v, b.format.gradio, 4, 6); }},
    {"space_field", "a string", [](const V& v, Behaviour& b) { return readText(v, b.format.space_field); }},
    {"generic_body", "any JSON",
     [](const V& v, Behaviour& b) {
         b.format.generic_body = json::dump(v);
         return true;
     }},
};

Result<void> readSteps(const V& v, std::vector<Step>& out) {
    if (!v.IsArray()) return badValue("behaviour.steps", "an array of steps");
    for (const auto& item : v.GetArray()) {
        auto step = parseStep(item, "behaviour.steps[" + std::to_string(out.size()) + "]");
        if (!step) return std::move(step).error();
        out.push_back(std::move(step).value());
    }
    return {};
}

}  // namespace

Result<Behaviour> parseBehaviour(const json::Value& v) {
    Behaviour out;
    if (auto read = readObject<Behaviour>(v, kMembers, out, "behaviour"); !read)
        return std::move(read).error();
    if (const auto* steps = json::find(v, "steps"))
        if (auto read = readSteps(*steps, out.steps); !read) return std::move(read).error();
    if (const auto* probe = json::find(v, "probe")) {
        auto step = parseStep(*probe, "behaviour.probe");
        if (!step) return std::move(step).error();
        out.probe = std::move(step).value();
    }
    out.source = json::dump(v);
    return out;
}

Result<std::map<std::string, Behaviour>> parseScript(std::string_view text) {
    const auto document = json::parse(text);
    if (!document) return document.error();
    const auto* instances = json::find(*document, "instances");
    if (!instances || !instances->IsObject() || document->MemberCount() != 1)
        return badValue("script", R"({"instances":{"NAME":{...}}})");
    std::map<std::string, Behaviour> out;
    for (const auto& member : instances->GetObject()) {
        auto behaviour = parseBehaviour(member.value);
        if (!behaviour)
            return Error{ErrorClass::InvalidRequest, "instance '" + std::string(json::view(member.name)) +
                                                         "': " + behaviour.error().message};
        out.emplace(json::view(member.name), std::move(behaviour).value());
    }
    return out;
}

}  // namespace stepper::sim
