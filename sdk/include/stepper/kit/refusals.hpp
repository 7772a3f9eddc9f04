// stepper/kit/refusals.hpp - the words by which providers refuse a request, what each of them means, and who
// says them. Data only; failure.hpp applies it, and tests/refusals holds it against what was really answered.
//
// The first rule that matches decides, so the order matters: what is certain comes before what is vague. A
// rule must not fire for an error of another kind: its words are the provider's own phrase, never a word that
// a parameter, a tool or a quoted prompt may contain as well.
#pragma once
#include <cstdint>
#include <string_view>

#include "stepper/plugin_abi.h"

namespace stepper::kit::refusals {

// What `words` are compared with. They are separated by '|', and in lower case.
enum class In {
    Code,  // equals one of the body's own codes; '*' at either end stands for anything
    Text,  // the message contains them; '*' stands for anything within one sentence, '~' for one word
    None,  // the message says "WORD: 0", as in "limit: 0"
    Over,  // it says two numbers, and the second is larger, as in "Limit 100, Requested 200"
};

// In which responses a rule is tried at all, by their status. 0: an error inside a 2xx that names none.
enum class When {
    Always,
    Client,     // below 500: the request or the account is at fault
    Content,    // not 401, 402, 408 or 429: the request was read and judged
    Throttled,  // 0, 402, 413, 429
    Size,       // 0, 400, 403, 413, 422, 500, 502, 503, and none of kThrottling in the message
    Busy,       // 0, 408, 429 or 5xx
};

struct Rule {
    In in;
    When when;
    int32_t error_class;
    std::string_view words;
    std::string_view source;  // who says so: providers, the public reports, and clients that match the same
    bool firm = false;        // QUOTA: nothing comes back within the hour, whatever wait is stated
};

inline constexpr std::string_view kThrottling =
    "rate limit|too many requests|tokens per min|tokens per day| tpm|(tpm)| tpd|(tpd)|throttl|service "
    "unavailable";

inline constexpr Rule kRules[] = {
    // Words that outrank the code beside them.
    {In::Text, When::Always, STEPPER_E_OVERLOADED, "负载已饱和|负载已满|访问量过大",
     "one-api under insufficient_quota, billing_not_active and rate_limit_exceeded: labring/FastGPT#1056, "
     "songquanpeng/one-api#330, QuantumNous/new-api#991; Zhipu 1305"},
    {In::Text, When::Always, STEPPER_E_CONTEXT_TOO_LONG,
     "extra usage is required for long context|extra usage is required for 1m context|long context beta is "
     "not yet available",
     "Anthropic, 429 and 400: anthropics/claude-code#53607, #27944; hermes-agent"},
    {In::Text, When::Client, STEPPER_E_AUTH,
     "access was terminated|account has been deactivated|organization has been disabled|account has been "
     "disabled|account*has been suspended|account has been banned",
     "OpenAI and Anthropic: refused is the account, not what was asked; hermes-agent"},
    {In::Text, When::Content, STEPPER_E_UNSUPPORTED,
     "no endpoints found that support|no endpoints found that can handle|does not support tools|does not "
     "support image|does not support function|not a multimodal model|function calling is not enabled|tool "
     "use is not supported",
     "OpenRouter's 404 about one request: continuedev/continue#3849; Ollama: continuedev/continue#10672"},
    {In::None, When::Throttled, STEPPER_E_QUOTA, "limit",
     "Gemini without a free tier: continuedev/continue#9689; OpenAI \"Limit: 0/1min\": "
     "chatboxai/chatbox#1361",
     true},
    {In::Over, When::Throttled, STEPPER_E_CONTEXT_TOO_LONG, "limit|requested",
     "OpenAI 429: TheR1D/shell_gpt#653, continuedev/continue#10602; Groq 413: continuedev/continue#10218"},

    // Codes that leave no doubt.
    {In::Code, When::Always, STEPPER_E_CONTEXT_TOO_LONG,
     "context_length_exceeded|context_window_exceeded|exceed_context_size_error|request_too_large|"
     "token_limit_exceeded|tokens_limit_reached|too_many_prompt_tokens|*max_prompt_tokens_exceeded|3051|1261",
     "OpenAI, Groq, llama.cpp, Anthropic, Mistral; GitHub Models: eslint/tsc-meetings#593; Perplexity; "
     "Copilot: microsoft/copilot-intellij-feedback#94; Zhipu: zeroclaw-labs/zeroclaw#4124"},
    {In::Code, When::Always, STEPPER_E_QUOTA,
     "insufficient_quota|insufficient_user_quota|insufficient_balance*|insufficient_credits|"
     "credit_balance_exhausted|*spend_limit_*|organization_usage_limit_exceeded|billing_*|arrearage|"
     "accountoverdueerror|exceeded_current_quota_error|allocationquota.freetieronly|budget_exceeded|"
     "creditserror|monthlylimiterror|monthly_request_count|1113",
     "OpenAI, Anthropic; new-api; MiniMax: modelscope/modelscope#1691; DashScope: "
     "tencentmusic/supersonic#1572, axoviq-ai/synthadoc#215; Moonshot: MoonshotAI/Kimi-K2#5; LiteLLM "
     "proxy; Zhipu: langgenius/dify#5850",
     true},
    {In::Code, When::Always, STEPPER_E_QUOTA, "payment_required", "Vercel AI Gateway, Together"},
    {In::Code, When::Always, STEPPER_E_AUTH,
     "api_key_invalid|invalid_api_key|invalidapikey|account_deactivated|access_terminated|"
     "unsupported_country_region_territory",
     "Gemini, OpenAI, DashScope"},
    {In::Code, When::Content, STEPPER_E_CONTENT_BLOCKED,
     "content_policy_violation|content_filter*|contentfilter|responsibleaipolicyviolation|"
     "data_inspection_failed|*datainspectionfailed|*sensitivecontentdetected*|sensitive_words_detected|"
     "invalid_prompt|bio_policy|cyber_policy_violation|moderation|moderation_blocked|refusal|1301",
     "OpenAI, Azure: openai/openai-python#331; DashScope: camel-ai/owl#432; Ark; new-api; Moonshot: "
     "MoonshotAI/kimi-cli#1002; Zhipu; LiteLLM, hermes-agent"},
    {In::Code, When::Always, STEPPER_E_MODEL_NOT_FOUND,
     "model_not_found|model_not_supported|model_not_available|model_decommissioned|invalid_model|"
     "unknown_model|modelnotfound|modelnotopen|*endpointormodel.notfound|deploymentnotfound|1211",
     "OpenAI, Groq, Mistral, Together: HeyPuter/puter#3168; GitHub Models; Ark: cloudwego/eino#107; "
     "Azure; Zhipu"},
    {In::Code, When::Always, STEPPER_E_BAD_RESPONSE,
     "json_validate_failed|tool_use_failed|output_parse_failed", "Groq"},
    {In::Code, When::Always, STEPPER_E_RATE_LIMITED, "capacity_exceeded", "Groq 498"},
    {In::Code, When::Always, STEPPER_E_OVERLOADED,
     "server_is_overloaded|overloaded_error|overloaded|engine_overloaded_error|provider_overloaded|"
     "queue_exceeded|nocapacity|model_capacity_exhausted|3505|1305",
     "OpenAI, Anthropic, Moonshot, Cerebras, Azure, TGI; Google: "
     "badrisnarayanan/antigravity-claude-proxy#197; Mistral; Zhipu: hermes-agent"},
    {In::Code, When::Always, STEPPER_E_UNSUPPORTED, "not_supported_error", "llama.cpp"},

    // The key and the account.
    {In::Text, When::Client, STEPPER_E_AUTH,
     "incorrect api key|invalid api key|invalid x-api-key|api key not valid|api key expired|api key revoked|"
     "api key deactivated|key has been disabled|key has been revoked|could not validate credentials|token "
     "seems invalid|user location is not supported|login fail",
     "xAI and Gemini with a 400: SamuelSchmidgall/AgentLaboratory#33; Hugging Face; MiniMax 1004; openclaw"},
    {In::Text, When::Always, STEPPER_E_RATE_LIMITED,
     "gpu quota|queue is full|maximum pending requests exceeded|total request limit reached",
     "ZeroGPU: levihsu/OOTDiffusion#205; Gradio; Ollama; NVIDIA: NousResearch/hermes-agent#73391"},
    {In::Text, When::Always, STEPPER_E_QUOTA,
     "insufficient balance|insufficient account balance|balance is insufficient|balance is too low|"
     "insufficient quota|insufficient credits|insufficient funds|insufficient usd|out of credits|run out of "
     "credits|used all available credits|requires more credits|more credits are required|requires paid "
     "balance|余额不足|欠费|额度不足|额度失败",
     "DeepSeek; MiniMax 500: MiniMax-AI/MiniMax-M2#62; SiliconFlow: FoundationAgents/OpenManus#438; "
     "Moonshot: continuedev/continue#11443; xAI: continuedev/continue#10373, Wei-Shaw/sub2api#4069; "
     "OpenRouter: continuedev/continue#10298; Zhipu, new-api",
     true},
    {In::Text, When::Client, STEPPER_E_QUOTA,
     "credit*exhaust|credit*deplet|credit*too low|exceeded current quota|specified api usage limits|out of "
     "extra usage|calls / month|calls/month|call / month|call/month|"
     "cap exceeded for this month|spending cap|budget has been exceeded|crossed budget|"
     "exceededbudget|key limit exceeded|account is in good standing|overdue balance|free quota has been "
     "exhausted|free allocated quota exceeded|set inference limit",
     "Anthropic: hermes-agent; Cohere's trial key; Hugging Face; OpenRouter: "
     "RooCodeInc/Roo-Code#515, anomalyco/opencode#25151; LiteLLM proxy: BerriAI/litellm#14144; "
     "DashScope: QwenLM/qwen-code#1742; Ark: volcengine/MineContext#328",
     true},
    {In::Text, When::Throttled, STEPPER_E_QUOTA, "monthly*limit|monthly*quota|monthly*credits",
     "Together, Hugging Face, Zhipu 1310; a 400 with these words is about a value", true},
    {In::Text, When::Throttled, STEPPER_E_RATE_LIMITED, "free-models-per-min|hourly usage limit",
     "OpenRouter, which names the day's limit in the same breath; Ollama: continuedev/continue#9233"},
    {In::Text, When::Throttled, STEPPER_E_QUOTA,
     "per day|per-day|per_day|requests/day|daily*limit|daily*quota|daily*allocation|(tpd)|(rpd)| tpd| rpd|"
     "by day|byday|per 86400s|weekly*limit|session usage limit|usage limit reached|reached its usage limit|"
     "usage limit has been reached|free usage exceeded",
     "Groq, OpenAI, Cerebras, Baidu: songquanpeng/one-api#1503; Cloudflare; GitHub Models; Ollama: "
     "continuedev/continue#11444; Zhipu 1308; opencode Zen: anomalyco/opencode#14273"},
    {In::Code, When::Throttled, STEPPER_E_QUOTA,
     "*perday*|usage_limit_reached|usage_limit_exceeded|freeusagelimiterror|1308",
     "Gemini's quotaId; Codex and hermes-agent; opencode Zen: anomalyco/opencode#32971"},

    // Too long for the model.
    {In::Text, When::Client, STEPPER_E_INVALID_REQUEST, "too many tokens: max tokens must be", "Cohere"},
    {In::Text, When::Size, STEPPER_E_CONTEXT_TOO_LONG,
     "maximum context length|maximum context limit|maximum model length|model's context length|context "
     "length exceeded|context length is only|exceeds the context window|exceeds model context window|exceed "
     "context window|context window exceeded|context window exceeds limit|exceed context limit|exceed "
     "context budget|exceeds the available context size|context size has been exceeded|exceeded max context "
     "length|greater than the context length|n_keep*>= n_ctx|exceeds maximum context|input context is too "
     "long",
     "OpenAI, vLLM, DeepSeek, Anthropic, llama.cpp, LM Studio, MiniMax: MiniMax-AI/MiniMax-M2#119; "
     "vllm-project/vllm#12165; Gemini; LiteLLM, pi-mono, cline, opencode, openclaw, letta"},
    {In::Text, When::Size, STEPPER_E_CONTEXT_TOO_LONG,
     "prompt is too long|prompt too long|prompt tokens too long|prompt exceeds max length|prompt exceeds "
     "the length limit|input is too long|input token count*exceeds|prompt token count*exceeds|prompt "
     "tokens*exceed|exceeds the maximum number of tokens|exceeds the maximum number of input tokens|maximum "
     "prompt length is|maximum input length is|range of input length should be|input tokens exceed|too many "
     "input tokens|too many tokens in|too many tokens:|too many tokens per request|tokens in request more "
     "than|length of all messages is too long|input length is too long|input token length too long|length "
     "of tokens in the request is too long|conversation length exceeded|request contains*tokens, which "
     "exceeds",
     "Anthropic, Ollama, Zhipu: NousResearch/hermes-agent#1877; Bedrock: LiteLLM; Gemini: "
     "google-gemini/gemini-cli#4692; Copilot: opencode-ai/opencode#305; xAI; DashScope; Mistral: "
     "aurelio-labs/semantic-router#297; Cohere; Perplexity"},
    {In::Text, When::Size, STEPPER_E_CONTEXT_TOO_LONG,
     "reduce the length of the messages|reduce the length of the input|reduce the length of the prompt|"
     "reduce your prompt|too large for model|request body too large for|too large to process|too long to "
     "fit|token limit exceeded|exceeded model token limit|max_seq_len|max_model_len|current length is*while "
     "limit is|max tokens of*exceeded|`inputs` tokens + `max_new_tokens` must be|must be at least 1, got -|"
     "request too large|request payload size exceeds|too many total text "
     "bytes|超过最大长度|上下文长度|上下文过长|上下文超出|"
     "超出上下文|输入长度超过",
     "Groq, Mistral, GitHub Models: cline/cline#995; llama.cpp; Moonshot; SiliconFlow: "
     "chatboxai/chatbox#2060; Cerebras and TGI: LiteLLM; Snowflake: posit-dev/positron#11737; "
     "vllm-project/vllm#4667; Google; hermes-agent, openclaw, letta"},
    {In::Text, When::Size, STEPPER_E_CONTEXT_TOO_LONG,
     "invalid 'messages*content*string too long|invalid 'input*string too long|body.prompt: string should "
     "have at most|messages*content: string should have at most",
     "OpenAI's string_above_max_length, which is also said of names: VectorlyApp/bluebox#31, "
     "home-assistant/core#121325; FastAPI"},

    // What was asked, or answered, against somebody's rules.
    {In::Text, When::Content, STEPPER_E_CONTENT_BLOCKED,
     "content violates usage guidelines|failed check: safety|content exists risk|blocked by content filter|"
     "content management policy|contain inappropriate content|flagged for possible cybersecurity|violates "
     "our usage polic|violating our usage polic|violate our usage polic|violates openai's usage polic|"
     "violates our content polic|result of our safety system|result of the safety system|request was "
     "flagged|prompt was flagged|input was flagged|considered high risk|blocked by our safety|blocked by "
     "safety|due to safety|responsible ai|violated guardrail policy|blocked by guardrail|data inspection "
     "failed|datainspectionfailed|敏感内容|敏感信息|input new_sensitive|output new_sensitive|contains "
     "sensitive "
     "content",
     "xAI: UKGovernmentBEIS/inspect_ai#2267, theopenco/llmgateway#1785; DeepSeek: 666ghj/BettaFish#108; "
     "Anthropic: anthropics/claude-code#58367; Azure; DashScope: QwenLM/qwen-code#3145; OpenAI: "
     "alan-turing-institute/t0-1#69; OpenRouter; Moonshot; Vertex; Zhipu; MiniMax 1026, 1027; LiteLLM, "
     "hermes-agent"},

    // No such model here.
    {In::Text, When::Content, STEPPER_E_MODEL_NOT_FOUND,
     "model not exist|model ~ not exist|model does not exist|model ~ does not exist|model or endpoint ~ "
     "does not exist|model not found|model ~ not found|model ~ is not found|no such model|unknown model:|"
     "unknown model '|unknown model \"|unknown model `|invalid model name|invalid model:|is not a valid "
     "model|model identifier is invalid|not found the model|unable to access model|unable to access "
     "non-serverless model|no deployments available|no allowed providers are available|not supported by any "
     "provider|model not supported by provider|is not supported for provider|model ~ has been "
     "decommissioned|model ~ has been retired|not allowed to sample from this model|模型不存在|unexpected "
     "endpoint or method",
     "DeepSeek: ConardLi/easy-dataset#9; SiliconFlow: anyme123/Any-code#1; OpenRouter, LiteLLM proxy; "
     "Bedrock; Moonshot; Hugging Face: cline/cline#5098, huggingface/huggingface.js#2225; Zhipu; LM Studio"},

    // Trouble on the provider's side.
    {In::Text, When::Always, STEPPER_E_UPSTREAM, "degraded function", "NVIDIA"},
    {In::Text, When::Content, STEPPER_E_BAD_RESPONSE,
     "model produced invalid content|failed to generate json|json model couldn't be met",
     "OpenAI: LiteLLM; Groq; Cloudflare 5024"},
    {In::Text, When::Busy, STEPPER_E_OVERLOADED,
     "overloaded|at capacity|over capacity|at maximum capacity|capacity exceeded|capacity temporarily "
     "exceeded|no capacity|loading model|model*currently loading|no gpu was available|gpu task aborted|"
     "queue is stopped|high demand|experiencing high traffic|too busy|model busy",
     "Anthropic; Zhipu: hermes-agent; xAI, OpenAI: openai/codex#19446; Mistral, Cloudflare, Chutes; "
     "llama.cpp; Hugging Face; Gemini; Cerebras; DeepSeek; DeepInfra: truefoundry/models#862"},

    // Codes and words that say less than any above.
    {In::Code, When::Always, STEPPER_E_RATE_LIMITED,
     "rate_limit*|ratelimit*|slow_down|ramp_limit_exceeded|too_many_requests*|resource_exhausted|"
     "resource-exhausted|request_limit_exceeded|throttling*|limitation|1302",
     "OpenAI, Anthropic, Moonshot, Google, xAI, Databricks, DashScope, opencode Go, Zhipu"},
    {In::Text, When::Throttled, STEPPER_E_QUOTA, "exceeded your current quota",
     "OpenAI where a gateway lost the code: continuedev/continue#11821"},
    {In::Text, When::Always, STEPPER_E_RATE_LIMITED,
     "rate limit exceeded|rate limit reached|rate increased too quickly|secondary rate limit|too many "
     "requests|qps request limit|too many concurrent requests|too many tokens, please wait|"
     "throttlingexception",
     "with any status, DashScope: anomalyco/opencode#21355; GitHub: hisxo/gitGraber#41; Bedrock: "
     "anthropics/claude-code#1466"},
    {In::Code, When::Always, STEPPER_E_AUTH, "authentication*|permission_*|unauthenticated",
     "Anthropic, Google"},
    {In::Code, When::Always, STEPPER_E_MODEL_NOT_FOUND, "not_found*|notfounderror|resource_not_found*",
     "Anthropic, Google, vLLM, Moonshot"},
    {In::Code, When::Always, STEPPER_E_TIMEOUT, "timeout*|deadline_exceeded", "Anthropic, Google"},
    {In::Code, When::Always, STEPPER_E_OVERLOADED,
     "unavailable*|service_unavailable*|the service is currently unavailable",
     "Google, llama.cpp, Groq, xAI"},
};

}  // namespace stepper::kit::refusals
