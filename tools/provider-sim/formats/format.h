// A wire format: how one family of providers writes requests, answers, streams and errors. Formats have no
// state and no I/O, so any thread may use them; instance.h decides what is said and respond.h how it reaches
// the client.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace stepper::sim {

using Headers = std::vector<std::pair<std::string, std::string>>;

// A received request. `path` has neither the instance prefix nor the query.
struct Call {
    std::string method = {}, path = {}, query = {}, body = {};
    Headers headers = {};

    // The header of that name in any case, "" without it.
    std::string_view header(std::string_view name) const;
    // The raw value of a query parameter, "" without it.
    std::string_view parameter(std::string_view name) const;
};

enum class Flavor {
    OpenAi,
    Groq,
    DeepSeek,
    Mistral,
    OpenRouter,
    Cerebras,
    Xai,
    Nvidia,
    Perplexity,
    Ollama,
    LlamaCpp,
    Vllm,
    Together,
    LmStudio
};

// What an instance fixes about the format, as its behaviour says.
struct FormatOptions {
    Flavor flavor = Flavor::OpenAi;
    int gradio = 5;                      // major version
    std::string space_field = "report";  // the answer's member in a Space's reply
    std::string
        generic_body;  // JSON with "$ANSWER", "$PROMPT_TOKENS", "$COMPLETION_TOKENS"; "" is the default
    size_t chunk_bytes = 16;  // of answer text per stream event
};

// What a request asks for, whatever its format.
struct Ask {
    enum class Kind {
        Generate,
        Submit,  // accepts work whose answer is fetched by its event id (Gradio)
        Fetch,
        Info  // models, health, configuration: takes no step of the script
    };
    FormatOptions options;
    uint64_t serial = 0;  // unique in the process, for ids
    int64_t created = 0;  // epoch seconds

    Kind kind = Kind::Generate;
    std::string prompt = {};  // every text of the request, joined by newlines
    std::string model = {};
    bool stream = false;
    bool include_usage = false;
    bool json_array = false;    // Gemini's stream without alt=sse
    std::string event_id = {};  // Fetch
};

struct Usage {
    int64_t prompt = 0, completion = 0, reasoning = 0;
    int64_t total() const { return prompt + completion + reasoning; }
};

// What the simulator says. A missing text is the format's null or absent content.
struct Answer {
    std::optional<std::string> text = {};
    std::string reasoning = {}, refusal = {};
    std::string finish =
        "stop";  // stop, length, content_filter, tool_calls, error; others are written as they are
    std::optional<Usage> usage = {};
};

enum class ErrorKind {
    Auth,
    RateLimit,
    Quota,
    ContextLength,
    ContentFilter,
    Model,
    Invalid,
    Overloaded,
    Server,
    Timeout
};

struct Failure {
    ErrorKind kind = ErrorKind::Server;
    std::optional<int> status = {};  // the format's own for this kind without it
    std::string message = {};        // the format's own without it
    std::string retry_info = {};     // Gemini's RetryInfo.retryDelay
    std::string try_again_in = {};   // appended to the message as providers word it
};

struct Reply {
    int status = 200;
    std::string content_type = "application/json";
    Headers headers = {};
    std::string body = {};
    std::vector<std::string> events =
        {};                 // a stream, complete events with their blank line; empty means `body`
    std::string done = {};  // its terminal marker

    bool isStream() const { return !events.empty(); }
};

// What a quota leaves, for rate-limit headers.
struct Allowance {
    uint64_t limit = 0, remaining = 0;
    milliseconds reset{};  // until it is full again
};
struct Allowances {
    std::optional<Allowance> requests, tokens;
};

class Format {
public:
    virtual ~Format() = default;
    virtual std::string_view name() const = 0;
    // Fills kind, prompt, model and stream. An error is the client's fault; its http_status, if any, is
    // answered.
    virtual Result<void> parse(const Call& call, Ask& ask) const = 0;
    virtual Reply answer(const Ask& ask, const Answer& answer) const = 0;
    virtual Reply failure(const Ask& ask, const Failure& failure) const = 0;
    // One stream event that reports the failure.
    virtual std::string streamError(const Ask& ask, const Failure& failure) const = 0;
    virtual Headers rateLimits(const Ask&, const Allowances&, WallTime) const { return {}; }
};

// The format whose paths look like this call's, nullptr when none does.
const Format* formatOf(const Call& call);

const Format& openAiFormat();
const Format& geminiFormat();
const Format& cohereV2Format();
const Format& cohereV1Format();
const Format& anthropicFormat();
const Format& spaceFormat();
const Format& gradioFormat();
const Format& genericFormat();

}  // namespace stepper::sim
