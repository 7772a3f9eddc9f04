// One step of an instance's script: what is said to a request and how it reaches the client. Plain data.
#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/json.h"
#include "tools/provider-sim/formats/format.h"

namespace stepper::sim {

enum class DateForm { ImfFixdate, Rfc850, Asctime };

// A Retry-After that is a date, computed when it is sent.
struct RetryDate {
    int64_t in_s = 0;  // from now, negative for the past
    DateForm form = DateForm::ImfFixdate;
};

struct UsageRule {
    bool absent = false;
    std::optional<int64_t> prompt = {}, completion = {}, reasoning = {};  // instead of the computed ones
};

// What is said. Nothing set is the instance's ordinary answer.
struct Content {
    std::optional<int> status = {};
    std::optional<ErrorKind> error = {};
    std::string message = {}, retry_info = {}, try_again_in = {};
    std::vector<std::variant<std::string, RetryDate>> retry_after = {};  // one header each
    std::optional<std::string> retry_after_ms = {};
    Headers headers = {};
    std::optional<std::string> body = {};
    std::string content_type = {};
    bool html = false, invalid_json = false, empty = false;
    std::string redirect = {};
    bool null_answer = false;
    std::optional<std::string> answer = {};
    std::string reasoning = {}, refusal = {}, finish = {};
    UsageRule usage = {};
    std::optional<size_t> stream_error_after = {};
    bool no_done = false;
    bool on_result = false;  // Gradio: acts on the GET that fetches the result, not on the POST

    bool fails() const { return error || (status && *status >= 400); }
};

enum class Hang { No, Connect, Head, Body };
enum class Reset { No, BeforeHead, MidHead, MidBody };
enum class Endless { No, Body, Head };
enum class Close { No, Announced, Silent };
enum class LineEnd { Own, Lf, CrLf, Cr };

struct Drip {
    size_t bytes = 1;
    milliseconds every{50};
};

// How it reaches the client. Nothing set is at once, whole and correct.
struct Delivery {
    milliseconds delay{0};        // before the first byte
    milliseconds chunk_delay{0};  // between the events of a stream
    Hang hang = Hang::No;
    Reset reset = Reset::No;
    Endless endless = Endless::No;
    Close close = Close::No;
    std::optional<Drip> drip = {};
    std::optional<double> truncate = {};  // this part of the body is sent, then the connection ends
    std::optional<int64_t> length_delta = {};
    std::optional<std::string> length_text = {};
    uint64_t huge = 0;       // bytes of body
    uint64_t gzip_bomb = 0;  // bytes once decoded
    bool gzip = false;
    std::string encoding = {};             // Content-Encoding as claimed, the body stays as it is
    std::optional<size_t> cut_after = {};  // events, then the connection ends
    LineEnd line_end = LineEnd::Own;
    bool bom = false;
};

struct Step {
    std::string label = {};  // in counters and in the log
    Content content = {};
    Delivery delivery = {};
};

// InvalidRequest naming the place below `path` when the value is no step.
Result<Step> parseStep(const json::Value& v, std::string_view path);

// The kind of error a bare status stands for.
ErrorKind errorKindOf(int status);

}  // namespace stepper::sim
