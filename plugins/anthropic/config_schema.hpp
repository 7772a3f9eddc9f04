// What a provider with `plugin: anthropic` may be configured with.
#pragma once
#include <string_view>

inline constexpr std::string_view kConfigSchema = R"~({
"type": "object",
"required": ["base_url"],
"properties": {
  "base_url": {"type": "string", "minLength": 1, "description": "https://api.anthropic.com, with or without /v1"},
  "model": {"type": "string", "description": "Model used when a request names none"},
  "options": {
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "version": {"type": "string", "default": "2023-06-01", "description": "The anthropic-version header"},
      "beta": {"type": "array", "items": {"type": "string"}, "description": "Names for the anthropic-beta header"},
      "max_tokens": {"type": "integer", "minimum": 1, "default": 4096,
        "description": "Token limit when a request has none; the API demands one"},
      "send_sampling_params": {"type": "boolean", "default": false,
        "description": "Pass temperature or top_p on; newer models reject both, so they are left out by default"},
      "structured_output": {"type": "boolean", "default": false,
        "description": "Send a JSON schema as output_config.format; otherwise the prompt alone asks for it"}
    }
  }
}})~";
