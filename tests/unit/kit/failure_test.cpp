#include "stepper/kit/failure.hpp"

#include <gtest/gtest.h>

namespace stepper::kit {
namespace {

struct Case {
    int status;
    const char* body;
    int32_t error_class;
    int64_t retry_after_ms = -1;
    Headers headers = {};
};

const Headers kNow = {{"date", "Sat, 21 Nov 2026 10:00:00 GMT"}};

void expectClasses(std::initializer_list<Case> cases) {
    for (const Case& c : cases) {
        const Failure f = classify(c.status, c.headers, std::string_view(c.body));
        EXPECT_EQ(f.error_class, c.error_class) << c.status << " " << c.body << " -> " << f.message;
        EXPECT_EQ(f.retry_after_ms, c.retry_after_ms) << c.status << " " << c.body;
        EXPECT_EQ(f.http_status, c.status);
    }
}

TEST(Classify, OpenAi) {
    expectClasses({
        {400,
         R"~({"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}})~",
         STEPPER_E_INVALID_REQUEST},
        {400,
         R"~({"error":{"message":"This model's maximum context length is 128000 tokens. However, your messages resulted in 131502 tokens. Please reduce the length of the messages.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        {400,
         R"~({"error":{"message":"Your prompt was flagged","type":"invalid_request_error","code":"invalid_prompt"}})~",
         STEPPER_E_CONTENT_BLOCKED},
        {400, R"~({"error":{"message":"filtered","code":"content_filter"}})~", STEPPER_E_CONTENT_BLOCKED},
        {401,
         R"~({"error":{"message":"Incorrect API key provided: sk-te**********7890. You can find your API key at https://platform.openai.com/account/api-keys.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}})~",
         STEPPER_E_AUTH},
        {403,
         R"~({"error":{"message":"Country not supported","code":"unsupported_country_region_territory"}})~",
         STEPPER_E_AUTH},
        {404,
         R"~({"error":{"message":"The model x does not exist","type":"invalid_request_error","code":"model_not_found"}})~",
         STEPPER_E_MODEL_NOT_FOUND},
        {408, "", STEPPER_E_TIMEOUT},
        {409, "", STEPPER_E_UPSTREAM},
        {413, R"~({"error":{"message":"body too large"}})~", STEPPER_E_CONTEXT_TOO_LONG},
        {429,
         R"~({"error":{"message":"Rate limit reached for gpt-5.4-mini in organization org-fx on tokens per min (TPM): Limit 200000, Used 198500, Requested 4200. Please try again in 810ms. Visit https://platform.openai.com/account/rate-limits to learn more.","type":"tokens","param":null,"code":"rate_limit_exceeded"}})~",
         STEPPER_E_RATE_LIMITED, 810},
        {429, R"~({"error":{"message":"ramp","type":"rate_limit_error","code":"slow_down"}})~",
         STEPPER_E_RATE_LIMITED},
        {429,
         R"~({"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"credit_balance_exhausted"}})~",
         STEPPER_E_QUOTA,
         -1,
         {{"retry-after", "20"}}},
        {429,
         R"~({"error":{"message":"x","type":"insufficient_quota","code":"project_spend_limit_exceeded"}})~",
         STEPPER_E_QUOTA},
        {429,
         R"~({"error":{"message":"Request too large for gpt on tokens per min: Limit 30000, Requested 342389","code":"rate_limit_exceeded"}})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        {500,
         R"~({"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}})~",
         STEPPER_E_UPSTREAM},
        {503,
         R"~({"error":{"message":"x","type":"service_unavailable_error","code":"server_is_overloaded"}})~",
         STEPPER_E_OVERLOADED,
         7'000,
         {{"retry-after", "7"}}},
    });
}

TEST(Classify, Gemini) {
    expectClasses({
        {400,
         R"~({"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}})~",
         STEPPER_E_AUTH},
        {400,
         R"~([{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}])~",
         STEPPER_E_CONTEXT_TOO_LONG},
        {400,
         R"~({"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"x\"","status":"INVALID_ARGUMENT"}})~",
         STEPPER_E_INVALID_REQUEST},
        {400,
         R"~({"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}})~",
         STEPPER_E_AUTH},
        {401,
         R"~({"error":{"code":401,"status":"UNAUTHENTICATED","details":[{"reason":"CREDENTIALS_MISSING"}]}})~",
         STEPPER_E_AUTH},
        {403, R"~({"error":{"code":403,"status":"PERMISSION_DENIED","message":"SERVICE_DISABLED"}})~",
         STEPPER_E_AUTH},
        {404,
         R"~({"error":{"code":404,"message":"models/x is not found for API version v1beta","status":"NOT_FOUND"}})~",
         STEPPER_E_MODEL_NOT_FOUND},
        {429,
         R"~({"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.\n* Quota exceeded for metric: generate_content_free_tier_requests, limit: 10, model: gemini-3.5-flash\nPlease retry in 34.074824224s.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.Help"},{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34s"}]}})~",
         STEPPER_E_RATE_LIMITED, 34'075},
        {429,
         R"~({"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"52758s"}]}})~",
         STEPPER_E_QUOTA, 52'758'000},
        {429,
         R"~({"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"19s"}]}})~",
         STEPPER_E_RATE_LIMITED, 19'000},
        {429,
         R"~({"error":{"code":429,"message":"Quota exceeded for metric: x, limit: 0, model: gemini-3-pro\nPlease retry in 34s.","status":"RESOURCE_EXHAUSTED"}})~",
         STEPPER_E_QUOTA},
        {429,
         R"~({"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota).","status":"RESOURCE_EXHAUSTED"}})~",
         STEPPER_E_RATE_LIMITED},
        {499, R"~({"error":{"code":499,"status":"CANCELLED"}})~", STEPPER_E_TIMEOUT},
        {500, R"~({"error":{"code":500,"message":"internal","status":"INTERNAL"}})~", STEPPER_E_UPSTREAM},
        {503,
         R"~({"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}})~",
         STEPPER_E_OVERLOADED},
        {504, R"~({"error":{"code":504,"message":"Deadline expired","status":"DEADLINE_EXCEEDED"}})~",
         STEPPER_E_TIMEOUT},
    });
}

TEST(Classify, Cohere) {
    expectClasses({
        {400, R"~({"message":"invalid request: temperature must be between 0 and 1.0 inclusive."})~",
         STEPPER_E_INVALID_REQUEST},
        {400,
         R"~({"message":"too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292."})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        {400, R"~({"message":"too many tokens: max tokens must be less than or equal to 4096"})~",
         STEPPER_E_INVALID_REQUEST},
        {401, R"~({"message":"invalid api token"})~", STEPPER_E_AUTH},
        {402, R"~({"message":"billing"})~", STEPPER_E_QUOTA},
        {404, R"~({"message":"model 'x' not found, make sure the correct model ID was used"})~",
         STEPPER_E_MODEL_NOT_FOUND},
        {429,
         R"~({"id":"fx-err-9","message":"You are using a Trial key, which is limited to 20 API calls / minute. You can continue to use the Trial key for free or upgrade"})~",
         STEPPER_E_RATE_LIMITED},
        {429, R"~({"message":"You are using a Trial key, which is limited to 1000 API calls / month."})~",
         STEPPER_E_QUOTA},
        {429,
         R"~({"message":"trial token rate limit exceeded, limit is 100000 tokens per minute"})~",
         STEPPER_E_RATE_LIMITED,
         12'000,
         {kNow[0], {"x-ratelimit-reset", "1795255212"}}},
        {498, R"~({"message":"invalid token"})~", STEPPER_E_CONTENT_BLOCKED},
        {504, R"~({"message":"timeout"})~", STEPPER_E_TIMEOUT},
    });
}

TEST(Classify, Anthropic) {
    expectClasses({
        {400,
         R"~({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 213462 tokens > 200000 maximum"}})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        {400,
         R"~({"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"}})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        {400,
         R"~({"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}})~",
         STEPPER_E_QUOTA},
        {400,
         R"~({"type":"error","error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."}})~",
         STEPPER_E_QUOTA},
        {400,
         R"~({"type":"error","error":{"type":"invalid_request_error","message":"`temperature` is deprecated for this model."},"request_id":"req_fx400"})~",
         STEPPER_E_INVALID_REQUEST},
        {401, R"~({"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}})~",
         STEPPER_E_AUTH},
        {402, R"~({"type":"error","error":{"type":"billing_error","message":"pay"}})~", STEPPER_E_QUOTA},
        {404, R"~({"type":"error","error":{"type":"not_found_error","message":"model: x"}})~",
         STEPPER_E_MODEL_NOT_FOUND},
        {413,
         R"~({"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        {429,
         R"~({"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization's rate limit of 50,000 input tokens per minute."},"request_id":"req_fx429"})~",
         STEPPER_E_RATE_LIMITED,
         4'000,
         {{"retry-after", "4"}}},
        {429,
         R"~({"type":"error","error":{"type":"rate_limit_error","message":"x","details":{"error_code":"enforced_spend_limit_reached"}}})~",
         STEPPER_E_QUOTA},
        {429,
         R"~({"type":"error","error":{"type":"rate_limit_error","message":"x","details":{"error_code":"ramp_limit_exceeded"}}})~",
         STEPPER_E_RATE_LIMITED},
        {500, R"~({"type":"error","error":{"type":"api_error","message":"Internal server error"}})~",
         STEPPER_E_UPSTREAM},
        {504, R"~({"type":"error","error":{"type":"timeout_error","message":"x"}})~", STEPPER_E_TIMEOUT},
        {529,
         R"~({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_fx529"})~",
         STEPPER_E_OVERLOADED},
    });
}

TEST(Classify, CompatibleServers) {
    expectClasses({
        // Groq
        {413,
         R"~({"error":{"message":"Request too large for model `llama-3.1-8b-instant` in organization `org_fx` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Requested 12328, please reduce your message size and try again.","type":"tokens","code":"rate_limit_exceeded"}})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        {429,
         R"~({"error":{"message":"Rate limit reached on tokens per day (TPD): Limit 100000, Used 97050, Requested 3619. Please try again in 9m38.016s.","type":"tokens","code":"rate_limit_exceeded"}})~",
         STEPPER_E_RATE_LIMITED, 578'016},
        {400,
         R"~({"error":{"message":"Please reduce the length of the messages or completion.","type":"invalid_request_error","code":"context_length_exceeded"}})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        {400,
         R"~({"error":{"message":"Failed to generate JSON.","type":"invalid_request_error","code":"json_validate_failed","failed_generation":"{"}})~",
         STEPPER_E_BAD_RESPONSE},
        {400, R"~({"error":{"message":"gone","code":"model_decommissioned"}})~", STEPPER_E_MODEL_NOT_FOUND},
        {498, R"~({"error":{"message":"no capacity","code":"capacity_exceeded"}})~", STEPPER_E_RATE_LIMITED},
        // DeepSeek
        {402,
         R"~({"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}})~",
         STEPPER_E_QUOTA},
        // Mistral
        {401, R"~({"detail":"Unauthorized"})~", STEPPER_E_AUTH},
        {429,
         R"~({"object":"error","message":"Rate limit exceeded","type":"rate_limited","param":null,"code":"1300","raw_status_code":429})~",
         STEPPER_E_RATE_LIMITED},
        {429,
         R"~({"object":"error","message":"Service tier capacity exceeded for this model.","code":"3505"})~",
         STEPPER_E_OVERLOADED},
        {422,
         R"~({"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted"}]}})~",
         STEPPER_E_INVALID_REQUEST},
        {400, R"~({"object":"error","message":"Invalid model: x","type":"invalid_model","code":"1500"})~",
         STEPPER_E_MODEL_NOT_FOUND},
        {400,
         R"~({"message":"Prompt contains 50000 tokens, too large for model with 32768 maximum context length"})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        // Together
        {400,
         R"~({"id":"fx-tg-1","error":{"message":"The input (516368 tokens) is longer than the model's context length (262144 tokens).","type":"invalid_request_error","param":null,"code":null}})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        {403,
         R"~({"error":{"message":"The input (516368 tokens) is longer than the model's context length (262144 tokens)."}})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        {524, "", STEPPER_E_TIMEOUT},
        // OpenRouter
        {429,
         R"~({"error":{"code":429,"message":"Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day","metadata":{"error_type":"rate_limit_exceeded","headers":{"X-RateLimit-Limit":"50","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1795262400000"}}},"user_id":"user_fx"})~",
         STEPPER_E_QUOTA, 7'200'000, kNow},
        {402, R"~({"error":{"code":402,"message":"More credits are required"}})~", STEPPER_E_QUOTA},
        {402,
         R"~({"error":{"code":402,"message":"In-flight budget used"}})~",
         STEPPER_E_RATE_LIMITED,
         5'000,
         {{"retry-after", "5"}}},
        {403,
         R"~({"error":{"code":403,"message":"Input flagged","metadata":{"reasons":["violence"],"flagged_input":"x"}}})~",
         STEPPER_E_CONTENT_BLOCKED},
        {403, R"~({"error":{"code":403,"message":"Key has no access"}})~", STEPPER_E_AUTH},
        {502,
         R"~({"error":{"code":502,"message":"Provider returned error","metadata":{"error_type":"provider_unavailable"}}})~",
         STEPPER_E_UPSTREAM},
        // Perplexity
        {400, R"~({"error":{"message":"Invalid model","type":"invalid_model","code":400}})~",
         STEPPER_E_MODEL_NOT_FOUND},
        {401,
         "<html><head><title>401 Authorization Required</title></head><body><center><h1>401 Authorization "
         "Required</h1></center><hr><center>openresty/1.27.4</center></body></html>",
         STEPPER_E_AUTH},
        // NVIDIA
        {400,
         R"~({"status":400,"title":"Bad Request","detail":"Function id '87ea0ddc-fx': DEGRADED function cannot be invoked"})~",
         STEPPER_E_UPSTREAM},
        {403, R"~({"status":403,"title":"Forbidden","detail":"Authorization failed"})~", STEPPER_E_AUTH},
        {404, R"~({"status":404,"title":"Not Found","detail":"Function 'x': Not found for account 'y'"})~",
         STEPPER_E_MODEL_NOT_FOUND},
        {410, R"~({"status":410,"title":"Gone"})~", STEPPER_E_MODEL_NOT_FOUND},
        {429, R"~({"status":429,"title":"Too Many Requests"})~", STEPPER_E_RATE_LIMITED},
        // xAI
        {400,
         R"~({"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***yz. You can obtain an API key from https://console.x.ai."})~",
         STEPPER_E_AUTH},
        {400,
         R"~({"code":"x","error":"This model's maximum prompt length is 131072 but the request contains 200000 tokens."})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        // Cerebras
        {429,
         R"~({"message":"Requests per minute limit exceeded - too many requests sent.","type":"too_many_requests_error","param":"quota","code":"request_quota_exceeded"})~",
         STEPPER_E_RATE_LIMITED},
        {413, "", STEPPER_E_CONTEXT_TOO_LONG},
        // Ollama
        {404,
         R"~({"error":{"message":"model 'llama9' not found","type":"not_found_error","param":null,"code":null}})~",
         STEPPER_E_MODEL_NOT_FOUND},
        {503, R"~({"error":"server busy, please try again. maximum pending requests exceeded"})~",
         STEPPER_E_RATE_LIMITED},
        {400, R"~({"error":"prompt too long; exceeded max context length by 300 tokens"})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        {500, R"~({"error":"model runner has unexpectedly stopped"})~", STEPPER_E_UPSTREAM},
        // vLLM
        {400,
         R"~({"error":{"message":"You passed 1015 input tokens and requested 10 output tokens. However, the model's context length is only 1024 tokens, resulting in a maximum input length of 1014 tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=1015)","type":"BadRequestError","param":"input_tokens","code":400}})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        {401, R"~({"error":"Unauthorized"})~", STEPPER_E_AUTH},
        // llama.cpp
        {503, R"~({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})~",
         STEPPER_E_OVERLOADED},
        {400,
         R"~({"error":{"code":400,"message":"request (13392 tokens) exceeds the available context size (8192 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":13392,"n_ctx":8192}})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        {501, R"~({"error":{"code":501,"message":"not here","type":"not_supported_error"}})~",
         STEPPER_E_UNSUPPORTED},
        // LM Studio
        {400, R"~({"error":"Cannot truncate prompt with n_keep (4270) >= n_ctx (4096)"})~",
         STEPPER_E_CONTEXT_TOO_LONG},
        // Hugging Face
        {402,
         R"~({"error":"You have exceeded your monthly included credits for Inference Providers. Purchase pre-paid credits to continue using Inference Providers."})~",
         STEPPER_E_QUOTA},
        {400, R"~({"error":{"message":"not supported by any provider","code":"model_not_supported"}})~",
         STEPPER_E_MODEL_NOT_FOUND},
        {503, R"~({"error":"Model is currently loading","estimated_time":20.0})~", STEPPER_E_OVERLOADED,
         20'000},
        {503, R"~({"detail":"Queue is full. Max size is 20 and size is 20."})~", STEPPER_E_RATE_LIMITED},
        {503, R"~({"detail":"Queue is stopped."})~", STEPPER_E_OVERLOADED},
        {500,
         R"~({"error":"You have exceeded your GPU quota (60s requested vs. 41s left). Try again in 0:09:48","visible":true,"duration":10,"title":"ZeroGPU quota exceeded"})~",
         STEPPER_E_RATE_LIMITED, 588'000},
        {422,
         R"~({"detail":[{"type":"missing","loc":["body","data"],"msg":"Field required","input":{"prompt":"x"}}]})~",
         STEPPER_E_INVALID_REQUEST},
    });
}

TEST(Classify, Proxies) {
    expectClasses({
        {502, "<html><body><h1>Bad Gateway</h1></body></html>", STEPPER_E_UPSTREAM},
        {503, "\n<!doctype html><p>Space is sleeping, insufficient credits</p>", STEPPER_E_OVERLOADED},
        {500, "Internal Server Error", STEPPER_E_UPSTREAM},
        {429, "", STEPPER_E_RATE_LIMITED, 0, {{"retry-after", "0"}}},
        {500, "", STEPPER_E_UPSTREAM},
        {503,
         "upstream connect error",
         STEPPER_E_OVERLOADED,
         60'000,
         {kNow[0], {"retry-after", "Sat, 21 Nov 2026 10:01:00 GMT"}}},
        {302, "", STEPPER_E_BAD_RESPONSE},
        {400, "{broken", STEPPER_E_INVALID_REQUEST},
        {400, "[]", STEPPER_E_INVALID_REQUEST},
        {401, "", STEPPER_E_AUTH, -1, {{"retry-after", "9"}}},
    });
}

// Quota is what waiting does not cure; a window under an hour is a rate limit unless the account is empty.
TEST(Classify, QuotaOnlyWhereItIsFinal) {
    expectClasses({
        {429,
         R"~([{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"19s"}]}}])~",
         STEPPER_E_RATE_LIMITED, 19'000},
        {429, R"~({"message":"requests per day limit, try again in 59m59s"})~", STEPPER_E_RATE_LIMITED,
         3'599'000},
        {429, R"~({"message":"requests per day limit, try again in 1h"})~", STEPPER_E_QUOTA, 3'600'000},
        {429, R"~({"message":"requests per day limit"})~", STEPPER_E_QUOTA},
        {429, R"~({"message":"requests_per_day limit"})~", STEPPER_E_QUOTA},
        {429, R"~({"message":"Limit on TPD reached"})~", STEPPER_E_QUOTA},
        {429, R"~({"message":"RPD: 50 used up (RPD)"})~", STEPPER_E_QUOTA},
        {429, "<p>httpd: Too Many Requests</p>", STEPPER_E_RATE_LIMITED},
        {429, "httpd: Too Many Requests", STEPPER_E_RATE_LIMITED},
        {429, R"~({"message":"daily limit reached"})~", STEPPER_E_QUOTA},
        {429, R"~({"message":"limited to 1 API call / month"})~", STEPPER_E_QUOTA},
        {429, R"~({"message":"limited to 1000 API calls/month, retry in 5s"})~", STEPPER_E_QUOTA},
        {429, R"~({"message":"limited to 20 API calls / minute, retry in 5s"})~", STEPPER_E_RATE_LIMITED,
         5'000},
        {429, R"~({"message":"Insufficient quota. Please retry in 5s"})~", STEPPER_E_QUOTA},
        {429, R"~({"message":"Insufficient quota. Please retry in 5h"})~", STEPPER_E_QUOTA, 18'000'000},
        {429, R"~({"error":{"message":"x","code":"billing_hard_limit_reached"}})~", STEPPER_E_QUOTA},
        {429, R"~({"error":{"message":"x","code":"organization_usage_limit_exceeded"}})~", STEPPER_E_QUOTA},
        {429,
         R"~({"error":{"message":"x","details":{"error_code":"linked_organization_spend_limit_reached"}}})~",
         STEPPER_E_QUOTA},
        // The window's end may be in the headers alone, or repeated in the body.
        {429,
         R"~({"message":"requests per day limit"})~",
         STEPPER_E_RATE_LIMITED,
         60'000,
         {{"x-ratelimit-remaining-requests-day", "0"}, {"x-ratelimit-reset-requests-day", "60"}}},
        {429,
         R"~({"error":{"code":429,"message":"Rate limit exceeded: free-models-per-day","metadata":{"headers":{"X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1795256100000"}}}})~",
         STEPPER_E_RATE_LIMITED, 900'000, kNow},
        {402,
         "",
         STEPPER_E_QUOTA,
         -1,
         {{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "7s"}}},
    });
}

// Nothing can come of asking again where one request asks for more than the whole limit.
TEST(Classify, ComparesWhatWasRequestedWithTheLimit) {
    expectClasses({
        {429, "Limit 30000, Requested 31538", STEPPER_E_CONTEXT_TOO_LONG},
        {429, "Limit: 30,000 / min. Requested: 30,001", STEPPER_E_CONTEXT_TOO_LONG},
        {413, "over the limit gpt-x: limit 30000, requested 99999", STEPPER_E_CONTEXT_TOO_LONG},
        {429, "Limit 30000, Used 29000, Requested 30000", STEPPER_E_RATE_LIMITED},
        {429, "Limit 30000, Requested", STEPPER_E_RATE_LIMITED},
        {429, "Limit reached, Requested 5", STEPPER_E_RATE_LIMITED},
        {429, "Limit 1.5M, Requested 20,000", STEPPER_E_RATE_LIMITED},
        {429, "Limit 2k, Requested 1200", STEPPER_E_RATE_LIMITED},
        {400, "Invalid schema: property 'monthly_total' violates limit", STEPPER_E_INVALID_REQUEST},
        {429, "Requested 31538 tokens", STEPPER_E_RATE_LIMITED},
        {429, "Limit 0, Used 0, Requested 1", STEPPER_E_QUOTA},
        {429, "Limit: 0.500000 / min. Current: 0.500000 / min", STEPPER_E_RATE_LIMITED},
        {429, "Limit: 3.000000 / min. Requested 3.5", STEPPER_E_CONTEXT_TOO_LONG},
        {429, "Limit 05, Requested 4", STEPPER_E_RATE_LIMITED},
        {500, "Limit 30000, Requested 31538", STEPPER_E_UPSTREAM},
    });
}

TEST(Classify, IsNotMisledByWhatItQuotes) {
    expectClasses({
        {400, "Invalid value: 'insufficient balance'", STEPPER_E_INVALID_REQUEST},
        {400, "Invalid type: string \"rate limit exceeded\", expected a number", STEPPER_E_INVALID_REQUEST},
        {400, "bad input: 'prompt is too long", STEPPER_E_INVALID_REQUEST},
        {400, "Got \"no such model\". The prompt is too long", STEPPER_E_CONTEXT_TOO_LONG},
        {400, "the input's prompt is too long", STEPPER_E_CONTEXT_TOO_LONG},
        {400, "This model\u2019s maximum context length is 8 tokens", STEPPER_E_CONTEXT_TOO_LONG},
        {400, "model 'a b' not found", STEPPER_E_INVALID_REQUEST},
        {400, "model 'a-b' not found", STEPPER_E_MODEL_NOT_FOUND},
        {400, "The model is fine. The file does not exist", STEPPER_E_INVALID_REQUEST},
        {400, "Unknown model parameter: top_x", STEPPER_E_INVALID_REQUEST},
        {400, "Unknown model: x", STEPPER_E_MODEL_NOT_FOUND},
        {400, "tool_choice: function 'limit' not found in tools", STEPPER_E_INVALID_REQUEST},
        {400, "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
         STEPPER_E_INVALID_REQUEST},
        {400, "Invalid schema for function 'f': limit: 0 is no object", STEPPER_E_INVALID_REQUEST},
        {400, "messages: text content blocks must be non-empty", STEPPER_E_INVALID_REQUEST},
        {400, "`max_tokens` must be greater than `thinking.budget_tokens`", STEPPER_E_INVALID_REQUEST},
        {400, "The number of tools exceeds the limit of 128", STEPPER_E_INVALID_REQUEST},
        {400, "Too many images: at most 5 per prompt", STEPPER_E_INVALID_REQUEST},
        {400, "credit is fine. Memory exhausted", STEPPER_E_INVALID_REQUEST},
        {400, "your credits are exhausted", STEPPER_E_QUOTA},
        {429, "a limit by httpdaemon", STEPPER_E_RATE_LIMITED},
    });
}

TEST(Classify, FindsTheReasonAGatewayWrapsUp) {
    const auto message = [](const char* body) { return classify(400, {}, std::string_view(body)).message; };
    EXPECT_EQ(
        message(
            R"~({"error":{"message":"Provider returned error","metadata":{"raw":"{\"error\":{\"message\":\"too long\"}}"}}})~"),
        "HTTP 400: too long");
    EXPECT_EQ(
        message(R"~({"error":{"message":"Provider returned error","metadata":{"raw":"plain words"}}})~"),
        "HTTP 400: plain words");
    EXPECT_EQ(
        message(
            R"~({"error":{"message":"Refused by X","metadata":{"raw":[{"error":{"message":"because"}}]}}})~"),
        "HTTP 400: Refused by X: because");
    EXPECT_EQ(message(R"~({"error":{"message":"Provider returned error","metadata":{"raw":""}}})~"),
              "HTTP 400: Provider returned error");
    EXPECT_EQ(message(R"~({"error":{"message":"Provider returned error","metadata":{"raw":{}}}})~"),
              "HTTP 400: Provider returned error");
    std::string nested = "deep";
    for (int i = 0; i < 6; ++i) {
        Document outer(rapidjson::kObjectType);
        set(outer, "message", nested, outer.GetAllocator());
        nested = dump(outer);
    }
    EXPECT_NE(message(nested.c_str()).find("deep"), std::string::npos);
}

TEST(Classify, SaysWhatTheProviderSaid) {
    const auto message = [](int status, const char* body) {
        return classify(status, {}, std::string_view(body)).message;
    };
    EXPECT_EQ(message(429, ""), "HTTP 429: Too Many Requests");
    EXPECT_EQ(message(429, "{}"), "HTTP 429: Too Many Requests");
    EXPECT_EQ(message(429, R"~({"error":{"message":"slow down"}})~"), "HTTP 429: slow down");
    EXPECT_EQ(message(418, ""), "HTTP 418: Client Error");
    EXPECT_EQ(message(422, R"~({"detail":[{"loc":["body",0,"seed"],"msg":"Extra"},{"msg":"Second"}]})~"),
              "HTTP 422: body.0.seed: Extra; Second");
    EXPECT_EQ(message(400, R"~({"errors":[{"message":"one"},"two"]})~"), "HTTP 400: one; two");
    EXPECT_EQ(
        message(
            400,
            R"~({"error":{"message":"{\"error\":{\"message\":\"inner\",\"code\":\"context_length_exceeded\"}}"}})~"),
        "HTTP 400: inner");
    EXPECT_EQ(message(400, R"~({"error":true,"message":"flat"})~"), "HTTP 400: flat");
    EXPECT_EQ(message(502, "<html><title>502 Bad Gateway</title>x"), "HTTP 502: 502 Bad Gateway");
    EXPECT_EQ(message(401, R"~({"error":{"message":"bad key sk-abcdef123456"}})~"),
              "HTTP 401: bad key [key]");
}

TEST(Classify, NamesTheProvidersCode) {
    const auto code = [](const char* body) {
        return classify(400, {}, std::string_view(body)).provider_code;
    };
    EXPECT_EQ(code(R"~({"error":{"message":"m","type":"t","code":"c"}})~"), "c");
    EXPECT_EQ(code(R"~({"error":{"message":"m","type":"t","code":null}})~"), "t");
    EXPECT_EQ(code(R"~({"error":{"message":"m","status":"S","code":400}})~"), "S");
    EXPECT_EQ(code(R"~({"error":{"message":"m","code":400}})~"), "400");
    EXPECT_EQ(code(R"~({"error":{"message":"{\"error\":{\"code\":\"inner\"}}","code":"outer"}})~"), "inner");
    EXPECT_EQ(code("plain"), "");
}

TEST(ClassifyInside, GoesByWhatTheErrorSays) {
    struct Inside {
        const char* body;
        int32_t error_class;
        int status;
    };
    const Inside cases[] = {
        {R"~({"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}})~",
         STEPPER_E_UPSTREAM, 200},
        {R"~({"error":{"code":502,"message":"Provider returned error","metadata":{"error_type":"provider_unavailable"}},"choices":[]})~",
         STEPPER_E_UPSTREAM, 502},
        {R"~({"code":"The service is currently unavailable","error":"Service temporarily unavailable. The model is at capacity and currently cannot serve this request."})~",
         STEPPER_E_OVERLOADED, 200},
        {R"~({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_fx"})~",
         STEPPER_E_OVERLOADED, 200},
        {R"~({"error":"Unexpected endpoint or method. (GET /v1/x)"})~", STEPPER_E_MODEL_NOT_FOUND, 200},
        {R"~({"error":{"message":"tool call validation failed","type":"invalid_request_error","code":"tool_use_failed","status_code":400}})~",
         STEPPER_E_BAD_RESPONSE, 400},
        {R"~({"error":{"message":"too fast","type":"too_many_requests_error"},"status_code":429})~",
         STEPPER_E_RATE_LIMITED, 429},
        {R"~({"error":{"message":"bad field","type":"invalid_request_error"}})~", STEPPER_E_INVALID_REQUEST,
         200},
        {R"~({"error":{"code":503,"message":"x","status":"UNAVAILABLE"}})~", STEPPER_E_OVERLOADED, 503},
    };
    for (const Inside& c : cases) {
        const Document json = parse(c.body);
        EXPECT_TRUE(isErrorBody(json)) << c.body;
        const Failure f = classifyInside(200, {}, json);
        EXPECT_EQ(f.error_class, c.error_class) << c.body;
        EXPECT_EQ(f.http_status, c.status) << c.body;
    }
    for (const char* fine :
         {R"~({"error":null,"choices":[]})~", R"~({"error":""})~", R"~({"error":false})~", "{}", "[]", "3"})
        EXPECT_FALSE(isErrorBody(parse(fine))) << fine;
}

}  // namespace
}  // namespace stepper::kit
