// What a provider with `plugin: gemini` may be configured with.
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
        "thinking_budget": {"type": "integer", "minimum": -1},
        "thinking_level": {"enum": ["MINIMAL", "LOW", "MEDIUM", "HIGH"]},
        "safety_settings": {"type": "array", "items": {"type": "object"}},
        "json_schema": {"enum": ["json_schema", "off"]},
        "extra_body": {"type": "object"}
      }
    }
  }
})json";
