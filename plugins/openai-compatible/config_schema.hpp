// What a provider with `plugin: openai-compatible` may be configured with.
#pragma once
#include <string_view>

inline constexpr std::string_view kConfigSchema = R"~({
"type": "object",
"required": ["base_url"],
"properties": {
  "base_url": {"type": "string", "minLength": 1, "description": "URL that /chat/completions is appended to"},
  "model": {"type": "string", "description": "Model used when a request names none"},
  "options": {
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "max_tokens_field": {"enum": ["max_tokens", "max_completion_tokens"], "default": "max_tokens",
        "description": "What the server calls the token limit"},
      "json_mode": {"enum": ["schema", "object", "none"], "default": "schema",
        "description": "The strongest response_format the server knows; stronger requests are reduced to it"},
      "stream_options": {"type": "boolean", "default": true,
        "description": "Ask for usage in streams; false for servers that reject stream_options"},
      "seed_field": {"type": "string", "default": "seed",
        "description": "What the server calls the seed (random_seed at Mistral); empty: it has none"},
      "system_role": {"enum": ["system", "developer", "user"], "default": "system",
        "description": "The role system messages are sent with"},
      "strip_think": {"type": "boolean", "default": true,
        "description": "Take a leading <think> block out of the answer"},
      "think_opened": {"type": "boolean", "default": false,
        "description": "The chat template already writes <think>: streamed answers start inside the block"},
      "drop_params": {"type": "array", "items": {"type": "string"},
        "description": "Request members this server rejects"},
      "extra_body": {"type": "object", "description": "Members added to every request body"},
      "extra_headers": {"type": "object", "additionalProperties": {"type": "string"},
        "description": "Headers added to every request; keys belong in api_key"}
    }
  }
}})~";
