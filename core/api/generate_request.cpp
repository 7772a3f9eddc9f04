#include "core/api/generate_request.h"

#include <cmath>

#include "core/api/member.h"
#include "core/base/text.h"
#include "core/prompt/callbacks.h"
#include "core/prompt/conversation.h"
#include "core/prompt/generic_prompt.h"
#include "core/report/commit_report.h"

namespace stepper::api {
namespace {

constexpr size_t kMaxIdLength = 256;
// That of a batch, and the id of an item behind it.
constexpr size_t kMaxRequestIdLength = 512;
constexpr size_t kMaxProviderNames = 64;
constexpr double kMaxDurationSeconds = 3'600;
constexpr int64_t kMaxOutputTokens = 10'000'000;
constexpr double kMaxTemperature = 2;

// Reads optional members one after another; the first sentence sticks.
class Reader {
public:
    explicit Reader(const json::Value& body) : body_(body) {}

    const std::optional<std::string>& problem() const { return problem_; }

    std::string id(std::string_view key, size_t max_length = kMaxIdLength) {
        const auto* v = member(body_, key);
        if (!v) return {};
        if (!v->IsString() || trim(json::view(*v)).empty() || utf8Length(json::view(*v)) > max_length) {
            fail("Invalid " + std::string(key) + ": expected a non-empty string of at most " +
                 std::to_string(max_length) + " characters");
            return {};
        }
        return std::string(json::view(*v));
    }

    // The same, where "" is none.
    std::string idIfAny(std::string_view key, size_t max_length = kMaxIdLength) {
        const auto* v = member(body_, key);
        return v && v->IsString() && v->GetStringLength() == 0 ? std::string() : id(key, max_length);
    }

    std::vector<std::string> names(std::string_view key) {
        std::vector<std::string> out;
        const auto* v = member(body_, key);
        if (!v) return out;
        const bool fits = v->IsArray() && v->Size() <= kMaxProviderNames;
        for (rapidjson::SizeType i = 0; fits && i < v->Size() && (*v)[i].IsString(); ++i)
            if (!isBlank(json::view((*v)[i]))) out.emplace_back(json::view((*v)[i]));
        if (fits && out.size() == v->Size()) return out;
        const bool too_many = v->IsArray() && !fits;
        fail("Invalid " + std::string(key) + ": expected an array of " +
             (too_many ? "at most 64 provider names" : "non-empty provider names"));
        return {};
    }

    template <class T>
    T oneOf(std::string_view key, std::initializer_list<std::pair<std::string_view, T>> choices, T otherwise,
            std::string_view sentence) {
        const auto* v = member(body_, key);
        if (!v) return otherwise;
        for (const auto& [word, value] : choices)
            if (v->IsString() && json::view(*v) == word) return value;
        fail(std::string(sentence));
        return otherwise;
    }

    std::optional<double> positive(std::string_view key, double max) {
        const auto* v = member(body_, key);
        if (!v) return std::nullopt;
        if (v->IsNumber() && v->GetDouble() > 0 && v->GetDouble() <= max) return v->GetDouble();
        fail("Invalid " + std::string(key) + ": expected a positive number of at most " +
             std::to_string(static_cast<int64_t>(max)));
        return std::nullopt;
    }

    std::optional<double> temperature() {
        const auto* v = member(body_, "temperature");
        if (!v) return std::nullopt;
        if (v->IsNumber() && v->GetDouble() >= 0 && v->GetDouble() <= kMaxTemperature) return v->GetDouble();
        fail("Invalid temperature: expected a number from 0 to 2");
        return std::nullopt;
    }

    std::optional<int64_t> whole(std::string_view key, int64_t max) {
        const auto* v = member(body_, key);
        if (!v) return std::nullopt;
        // 64.0 is a whole number, too: not every client tells them apart.
        const double n = v->IsNumber() ? v->GetDouble() : 0;
        if (n >= 1 && n <= static_cast<double>(max) && n == std::floor(n)) return static_cast<int64_t>(n);
        fail("Invalid " + std::string(key) + ": expected a positive whole number of at most " +
             std::to_string(max));
        return std::nullopt;
    }

    bool flag(std::string_view key) {
        const auto* v = member(body_, key);
        if (!v) return false;
        if (!v->IsBool()) fail("Invalid " + std::string(key) + ": expected true or false");
        return v->IsTrue();
    }

    std::optional<int> digit(std::string_view key) {
        const auto* v = member(body_, key);
        if (!v) return std::nullopt;
        if (v->IsInt() && v->GetInt() >= 0 && v->GetInt() <= 9) return v->GetInt();
        fail("Invalid " + std::string(key) + ": expected an integer from 0 (first) to 9 (last)");
        return std::nullopt;
    }

    void start(Start& out) {
        if (const auto read = readStart(body_)) {
            out = *read;
        } else {
            fail(read.error().message);
        }
    }

    std::optional<config::Plan> plan() {
        using config::Plan;
        return oneOf<std::optional<Plan>>(
            "plan",
            {{"manual", Plan::Manual},
             {"fastest-first", Plan::FastestFirst},
             {"cheapest-first", Plan::CheapestFirst}},
            std::nullopt, "Invalid plan: expected 'manual', 'fastest-first', or 'cheapest-first'");
    }

    void fail(std::string sentence) {
        if (!problem_) problem_ = std::move(sentence);
    }

private:
    const json::Value& body_;
    std::optional<std::string> problem_;
};

// Null for a prompt that names none.
const json::Value* presetOf(const json::Value& body) {
    const auto* prompt = member(body, "prompt");
    return prompt && prompt->IsObject() ? member(*prompt, "preset") : nullptr;
}

// The commit a prompt object of the commit-report preset carries; null for any other prompt.
const json::Value* commitOf(const json::Value& body) {
    const auto* prompt = member(body, "prompt");
    const auto preset = prompt ? json::string(*prompt, "preset") : std::nullopt;
    if (preset != report::kPreset) return nullptr;
    const auto* own = member(*prompt, "payload");
    return own ? own : member(body, "payload");
}

// A preset that nobody knows is none: the prompt is what else the object holds.
std::optional<std::string> presetProblem(const json::Value& body) {
    const auto* preset = presetOf(body);
    if (!preset) return std::nullopt;
    if (!preset->IsString()) return "Invalid prompt: expected string or preset prompt object";
    if (json::view(*preset) != report::kPreset) return std::nullopt;
    if (!commitOf(body)) return "Invalid prompt.payload: the commit-report preset needs the commit here";
    const auto* instructions = member(*member(body, "prompt"), "instructions");
    if (instructions && !instructions->IsString()) return "Invalid prompt.instructions: expected string";
    return std::nullopt;
}

// What is asked of the preset beside its own wording.
std::string instructionsIn(const json::Value& body) {
    return std::string(trim(json::string(*member(body, "prompt"), "instructions").value_or("")));
}

std::optional<std::string> callbacksProblem(const json::Value& body) {
    const auto* callbacks = member(body, "callbacks");
    if (!callbacks) return std::nullopt;
    const auto sound = prompt::checkCallbacks(*callbacks);
    return sound ? std::nullopt : std::optional(sound.error().message);
}

// What both kinds of requests say of how they are to be served.
void readOptions(Reader& read, ParsedRequest& out) {
    out.cache_control = read.oneOf<CacheControl>(
        "cacheControl",
        {{"default", CacheControl::Default},
         {"no-cache", CacheControl::NoCache},
         {"refresh", CacheControl::Refresh}},
        CacheControl::Default, "Invalid cacheControl: expected 'default', 'no-cache', or 'refresh'");
    out.request.preferred = read.names("preferredProviders");
    out.request.excluded = read.names("excludeProviders");
    out.request.plan = read.plan();
    out.request.max_output_tokens = read.whole("maxOutputTokens", kMaxOutputTokens);
    if (const auto s = read.positive("maxDurationSeconds", kMaxDurationSeconds))
        out.max_duration = std::chrono::ceil<milliseconds>(std::chrono::duration<double>(*s));
    out.priority = read.digit("priority");
    read.start(out.start);
    out.strict = read.flag("strict");
}

std::shared_ptr<const output::OutputSchema> schemaIn(const json::Value& body, output::Mode mode,
                                                     Reader& read) {
    const auto* schema = member(body, "outputSchema");
    if (!schema) return nullptr;
    if (mode == output::Mode::Text) {
        read.fail("outputSchema is only supported when responseMode is 'json'");
        return nullptr;
    }
    auto compiled = output::OutputSchema::parse(*schema);
    if (compiled) return std::make_shared<const output::OutputSchema>(std::move(compiled).value());
    read.fail(compiled.error().message);
    return nullptr;
}

using Question = std::shared_ptr<const prompt::Question>;

Result<Question> reportOn(const json::Value& commit, std::string instructions = {}) {
    auto input = report::parseCommit(commit);
    if (!input) return std::move(input).error();
    input->instructions = std::move(instructions);
    return Question(std::make_shared<const report::CommitReport>(std::move(input).value()));
}

// Rendered once, so that whether there is anything to ask is told before anybody is asked.
Result<Question> promptIn(Body body, output::Mode mode, std::shared_ptr<const output::OutputSchema> schema) {
    auto rendered = prompt::renderConversation(prompt::conversationIn(*body), prompt::Redaction::Off);
    if (!rendered) return std::move(rendered).error();
    return Question(std::make_shared<const prompt::GenericPrompt>(std::move(body), mode, std::move(schema)));
}

Result<ParsedRequest> asking(Result<Question> question, ParsedRequest request) {
    if (!question) return std::move(question).error();
    request.request.question = std::move(question).value();
    return request;
}

Result<ParsedRequest> parseGenerate(Body whole, Use use) {
    const json::Value& body = *whole;
    if (auto sound = prompt::checkConversation(prompt::conversationIn(body)); !sound)
        return std::move(sound).error();
    Reader read(body);
    using output::Mode;
    const Mode mode = read.oneOf<Mode>("responseMode", {{"json", Mode::Json}, {"text", Mode::Text}},
                                       Mode::Json, "Invalid responseMode: expected 'json' or 'text'");
    if (auto version = checkVersion(body); !version && !read.problem()) return std::move(version).error();
    const auto* commit = commitOf(body);
    ParsedRequest out;
    out.kind = commit ? RequestKind::ReportPreset : RequestKind::Generate;
    out.request.tenant_id = read.idIfAny("tenantId");
    out.request.request_id = read.idIfAny("requestId", kMaxRequestIdLength);
    out.cache_key = read.idIfAny("cacheKey");
    out.request.temperature = read.temperature();
    out.request.model = read.id("model");
    readOptions(read, out);
    if (const auto problem = presetProblem(body)) read.fail(*problem);
    if (const auto problem = callbacksProblem(body)) read.fail(*problem);
    auto schema = schemaIn(body, mode, read);
    if (read.problem()) return refusal(*read.problem());
    remarkOnGenerate(body, use, out.remarks);
    return asking(commit ? reportOn(*commit, instructionsIn(body))
                         : promptIn(std::move(whole), mode, std::move(schema)),
                  std::move(out));
}

Result<ParsedRequest> parseReport(const json::Value& body, Use use) {
    auto question = reportOn(body);
    if (!question) return std::move(question).error();
    ParsedRequest out;
    out.kind = RequestKind::Report;
    Reader read(body);
    readOptions(read, out);
    if (read.problem()) return refusal(*read.problem());
    remarkOnReport(body, use, out.remarks);
    return asking(std::move(question), std::move(out));
}

// Without what the versions that accepted it may have taken no notice of, whatever it was.
std::string withoutUnheeded(std::string_view text) {
    auto body = json::parse(text);
    if (!body || !body.value().IsObject()) return std::string(text);
    json::Document& d = body.value();
    for (const char* key : {"temperature", "model", "system", "messages", "callbacks", "callbackUrl"})
        d.RemoveMember(key);
    return json::dump(d);
}

}  // namespace

Result<ParsedRequest> parseRequest(RequestKind kind, Body body, Use use) {
    return kind == RequestKind::Report ? parseReport(*body, use) : parseGenerate(std::move(body), use);
}

Result<ParsedRequest> parseRequest(RequestKind kind, std::string_view text, Use use) {
    auto body = parseBody(text);
    if (!body) return std::move(body).error();
    return parseRequest(kind, std::move(body).value(), use);
}

std::vector<std::string> warningsOn(std::string_view kind, std::string_view body) {
    const auto parsed = parseRequest(jobs::requestKindOf(kind), body);
    return parsed ? parsed->remarks.warnings() : std::vector<std::string>();
}

Result<engine::GenerateRequest> decodeStored(std::string_view kind, std::string_view body) {
    const auto stored_as = jobs::requestKindOf(kind);
    auto parsed = parseRequest(stored_as, body);
    if (!parsed) parsed = parseRequest(stored_as, withoutUnheeded(body));
    if (!parsed) return std::move(parsed).error();
    return std::move(parsed).value().request;
}

}  // namespace stepper::api
