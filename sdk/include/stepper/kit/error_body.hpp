// stepper/kit/error_body.hpp - what a provider's error response says, whatever shape it has.
#pragma once
#include <charconv>
#include <string>
#include <string_view>

#include "stepper/kit/json.hpp"
#include "stepper/kit/text.hpp"

namespace stepper::kit {

// What an error body says, whatever its shape.
struct ErrorBody {
    Document json;        // null when it is no JSON
    std::string message;  // the provider's own words; empty when it gave none
    std::string code;     // its most specific name for the error
    std::string codes;    // all its names in lower case, as "|a|b|"
    std::string param;    // the request's field it blames
    int status = 0;       // the status the body repeats
    bool html = false;
};

namespace detail {

// The first human-readable text in an error value: a string, or wherever an object or array keeps one.
inline std::string errorText(const Value& v) {
    if (v.IsString()) return std::string(view(v));
    if (v.IsArray()) {
        std::string all;
        for (rapidjson::SizeType i = 0; i < v.Size() && i < 3; ++i)
            if (const std::string one = errorText(v[i]); !one.empty()) all += (all.empty() ? "" : "; ") + one;
        return all;
    }
    if (!v.IsObject()) return {};
    for (const char* key : {"message", "msg", "error", "detail", "errors", "title", "error_description",
                            "description", "error_msg", "errorMessage", "status_msg", "base_resp"}) {
        const Value* inner = find(v, key);
        std::string text = inner ? errorText(*inner) : std::string();
        if (text.empty()) continue;
        if (const Value* loc = array(v, "loc")) {  // FastAPI: where in the request the error is
            std::string where;
            for (const Value& step : loc->GetArray())
                where +=
                    (where.empty() ? "" : ".") + (step.IsString() ? std::string(view(step)) : dump(step));
            return where + ": " + text;
        }
        return text;
    }
    return {};
}

inline void addCode(ErrorBody& to, std::string_view code) {
    if (code.empty()) return;
    if (to.code.empty()) to.code = code;
    if (to.codes.empty()) to.codes = "|";
    to.codes += lower(code) + "|";
}

inline void readStatus(ErrorBody& to, const Value& from) {
    for (const char* key : {"code", "status_code", "status", "raw_status_code"}) {
        int64_t n = integer(from, key).value_or(0);
        const std::string_view digits = string(from, key);
        std::from_chars(digits.data(), digits.data() + digits.size(), n);
        if (n >= 400 && n < 600 && to.status == 0) to.status = static_cast<int>(n);
    }
}

inline void readError(ErrorBody& to, const Value& root, int nested = 0);

// The message of what a gateway was told upstream, which it keeps as text that may be JSON. Adds its codes.
inline std::string readUpstream(ErrorBody& to, std::string_view told, int nested) {
    constexpr int kDeepest = 3;
    const bool maybe_json = told.starts_with('{') || told.starts_with('[');
    const Document json = maybe_json && nested < kDeepest ? parse(told) : Document();
    if (!unwrapped(json).IsObject()) return std::string(told);
    ErrorBody upstream;
    readError(upstream, unwrapped(json), nested + 1);
    if (to.code.empty()) to.code = upstream.code;
    if (!upstream.codes.empty()) to.codes += upstream.codes.substr(to.codes.empty() ? 0 : 1);
    return upstream.message;
}

inline void readError(ErrorBody& to, const Value& root, int nested) {
    const Value* error = find(root, "error");
    const Value& e = error && error->IsObject() ? *error : root;
    const Value* metadata = object(e, "metadata");
    std::string message = error ? errorText(*error) : std::string();
    if (message.empty()) message = errorText(root);

    // Some gateways put the whole upstream body into the message, OpenRouter beside one that says nothing.
    if (trim(message).starts_with('{')) message = readUpstream(to, trim(message), nested);
    if (const Value* raw = metadata ? find(*metadata, "raw") : nullptr) {
        const std::string told(raw->IsString() ? trim(view(*raw)) : dump(*raw));
        const std::string upstream = readUpstream(to, told, nested);
        const bool silent = message.empty() || contains(lower(message), "provider returned error");
        if (!upstream.empty()) message = silent ? upstream : message + ": " + upstream;
    }
    if (to.message.empty()) to.message = message;

    for (const char* key : {"code", "error_code", "errorCode", "type", "error_type", "status", "reason"})
        if (const auto code = string(e, key); code != "error") addCode(to, code);
    if (const Value* inner = object(e, "innererror")) addCode(to, string(*inner, "code"));
    if (metadata) {
        addCode(to, string(*metadata, "error_type"));
        if (array(*metadata, "reasons")) addCode(to, "moderation");
    }
    if (const Value* details = find(e, "details")) {
        addCode(to, string(*details, "error_code"));
        if (details->IsArray())
            for (const Value& detail : details->GetArray()) {
                addCode(to, string(detail, "reason"));
                if (const Value* violations = array(detail, "violations"))
                    for (const Value& violation : violations->GetArray())
                        addCode(to, string(violation, "quotaId"));
            }
    }
    if (to.param.empty()) to.param = string(e, "param");
    readStatus(to, e);
    readStatus(to, root);
    if (const auto n = integer(e, "code"); n && to.code.empty()) to.code = std::to_string(*n);
}

}  // namespace detail

// Every shape in use: {"error":{...}} also inside an array, {"error":"text"}, {"message"}, {"detail"},
// problem+json, {"errors":[...]}, JSON inside the message, plain text, HTML, nothing.
inline ErrorBody readErrorBody(std::string_view body) {
    ErrorBody out;
    std::string_view start = body.starts_with("\xEF\xBB\xBF") ? body.substr(3) : body;
    start = trim(start);
    out.html = start.starts_with('<');
    if (start.starts_with('{') || start.starts_with('[')) {
        const Document whole = parse(start);
        if (whole.HasParseError()) return out;
        out.json.CopyFrom(unwrapped(whole), out.json.GetAllocator());
        detail::readError(out, out.json);
    } else {
        out.message = out.html ? htmlText(start) : std::string(start);
    }
    return out;
}

}  // namespace stepper::kit
