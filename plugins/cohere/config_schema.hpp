// What a provider with `plugin: cohere` may be configured with.
#pragma once
#include <string_view>

inline constexpr std::string_view kConfigSchema = R"json({
  "type": "object",
  "properties": {
    "base_url": {"type": "string", "minLength": 1},
    "model": {"type": "string"},
    "options": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "api": {"enum": ["v1", "v2"]},
        "safety_mode": {"enum": ["CONTEXTUAL", "STRICT", "OFF"]},
        "thinking_budget": {"type": "integer", "minimum": 0},
        "extra_body": {"type": "object"}
      }
    }
  }
})json";
