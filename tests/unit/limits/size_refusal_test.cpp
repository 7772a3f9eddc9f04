#include "core/limits/size_refusal.h"

#include <gtest/gtest.h>

namespace stepper::limits {
namespace {

struct Row {
    const char* words;
    std::optional<int64_t> most;
};

// As providers and servers word it; the figures are those of public reports.
constexpr Row kRows[] = {
    {"Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 57341. The input or "
     "output "
     "tokens must be reduced in order to run successfully.",
     30'000},  // OpenAI
    {"Request too large for model `llama-3.3-70b-versatile` on tokens per minute (TPM): Limit 6000, "
     "Requested "
     "9254, please reduce your message size and try again.",
     6'000},  // Groq
    {"This model's maximum context length is 8192 tokens. However, your messages resulted in 10338 tokens.",
     8'192},  // OpenAI
    {"This model's maximum context length is 4096 tokens. However, you requested 5096 tokens (4072 in the "
     "messages, 1024 in the completion).",
     4'096},  // OpenAI, vLLM
    {"This endpoint's maximum context length is 131072 tokens. However, you requested about 208537 tokens.",
     131'072},                                                        // OpenRouter
    {"prompt is too long: 203789 tokens > 200000 maximum", 200'000},  // Anthropic, bolt.new#1798
    {"input length and `max_tokens` exceed context limit: 190512 + 20000 > 200000, decrease input length",
     200'000},  // Anthropic
    {"The input token count (1208910) exceeds the maximum number of tokens allowed (1048576).",
     1'048'576},  // Gemini
    {"The input token count 38000 exceeds the maximum number of tokens allowed 32768.", 32'768},
    {"Prompt contains 40960 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
     32'768},  // Mistral
    {"too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5281",
     4'081},  // Cohere
    {"This model's maximum prompt length is 131072 but the request contains 140222 tokens.", 131'072},  // xAI
    {"`inputs` must have less than 4095 tokens. Given: 5120", 4'095},
    {"request (19344 tokens) exceeds the available context size (18320 tokens), try increasing it", 18'320},
    {"Request body too large for gpt-4o model. Max size: 8,000 tokens.", 8'000},  // GitHub Models
    // What tells no limit, or none that this request is beyond.
    {"Input is too long for requested model.", {}},
    {"Limit 30000, Used 29990, Requested 400. Please try again in 780ms.", {}},
    {"Limit 30000, Requested 400", {}},
    {"max_tokens is too large: 100000. This model supports at most 16384 completion tokens.", {}},
    {"Limit 99999999999999999999, Requested 999999999999999999999", {}},
    {"", {}},
};

TEST(SizeRefusal, TheLimitIsFoundInTheWords) {
    for (const Row& row : kRows) EXPECT_EQ(mostTokensIn(row.words), row.most) << row.words;
}

}  // namespace
}  // namespace stepper::limits
