#include "core/prompt/callbacks.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "core/base/endpoint.h"
#include "core/base/text.h"
#include "core/prompt/complaint.h"

namespace stepper::prompt {
namespace {

using json::Value;
using Problem = std::optional<std::string>;

constexpr size_t kMaxUrl = 2'048, kMaxHeader = 2'048, kMostHeaders = 20;

// "KEY: PROBLEM", or "KEY.REST" of a problem that begins with a path of its own.
Problem below(std::string_view key, std::string_view separator, const Problem& problem) {
    if (!problem) return std::nullopt;
    return std::string(key).append(separator).append(*problem);
}

bool isScheme(std::string_view s) {
    return !s.empty() && std::isalpha(static_cast<unsigned char>(s.front())) &&
           std::all_of(s.begin(), s.end(),
                       [](unsigned char c) { return std::isalnum(c) || c == '+' || c == '-' || c == '.'; });
}

Problem headersProblem(const Value& headers) {
    if (!headers.IsObject()) return ": " + expected("object", headers);
    for (const auto& [name, value] : headers.GetObject()) {
        const std::string at = "." + std::string(json::view(name)) + ": ";
        if (!value.IsString()) return at + expected("string", value);
        if (utf8Length(json::view(value)) > kMaxHeader) return at + textOf("most", kMaxHeader);
    }
    if (headers.MemberCount() > kMostHeaders)
        return ": Callback headers must not exceed " + std::to_string(kMostHeaders) + " entries";
    return std::nullopt;
}

Problem wholeProblem(const Value& retry, const char* key, int least, int most) {
    const Value* v = json::find(retry, key);
    if (!v) return "Required";
    if (!v->IsNumber()) return expected("number", *v);
    const double n = v->GetDouble();
    if (n != std::floor(n)) return "Expected integer, received float";
    if (n < least) return "Number must be greater than or equal to " + std::to_string(least);
    if (n > most) return "Number must be less than or equal to " + std::to_string(most);
    return std::nullopt;
}

Problem retryProblem(const Value& retry) {
    if (!retry.IsObject()) return ": " + expected("object", retry);
    if (auto bad = below(".maxAttempts", ": ", wholeProblem(retry, "maxAttempts", 1, 5))) return bad;
    return below(".backoffMs", ": ", wholeProblem(retry, "backoffMs", 100, 60'000));
}

Problem callbackProblem(const Value& callback) {
    if (!callback.IsObject()) return ": " + expected("object", callback);
    const Value* url = json::find(callback, "url");
    if (auto bad = below(".url", ": ", url ? callbackUrlProblem(*url) : "Required")) return bad;
    if (const Value* headers = json::find(callback, "headers"))
        if (auto bad = below(".headers", "", headersProblem(*headers))) return bad;
    if (const Value* goes_on = json::find(callback, "continueOnFailure"); goes_on && !goes_on->IsBool())
        return ".continueOnFailure: " + expected("boolean", *goes_on);
    const Value* retry = json::find(callback, "retry");
    return retry ? below(".retry", "", retryProblem(*retry)) : std::nullopt;
}

Problem problemOf(const Value& callbacks) {
    if (!callbacks.IsArray()) return ": " + expected("array", callbacks);
    if (callbacks.Size() > kMostCallbacks) return ": " + arrayOfAtMost(kMostCallbacks);
    for (rapidjson::SizeType i = 0; i < callbacks.Size(); ++i)
        if (auto bad = below("." + std::to_string(i), "", callbackProblem(callbacks[i]))) return bad;
    return std::nullopt;
}

}  // namespace

std::optional<std::string> callbackUrlProblem(const Value& v) {
    if (!v.IsString()) return expected("string", v);
    const std::string_view url = json::view(v);
    const size_t colon = url.find(':');
    const std::string scheme = lower(url.substr(0, colon));
    if (colon == std::string_view::npos || !isScheme(scheme)) return "Invalid url";
    const bool callable = scheme == "http" || scheme == "https";
    if (callable && hostOf(url).empty()) return "Invalid url";
    if (utf8Length(url) > kMaxUrl) return textOf("most", kMaxUrl);
    if (!callable) return "Callback URL origin is not allowed";
    return std::nullopt;
}

Result<void> checkCallbacks(const Value& callbacks) {
    if (auto bad = below("callbacks", "", problemOf(callbacks)))
        return Error{ErrorClass::InvalidRequest, *std::move(bad)};
    return {};
}

}  // namespace stepper::prompt
