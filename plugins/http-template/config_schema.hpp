// What a provider with `plugin: http-template` may be configured with.
#pragma once
#include <string_view>

inline constexpr std::string_view kConfigSchema = R"~({
"type": "object",
"required": ["base_url", "options"],
"definitions": {
  "name": {"type": "string", "pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"},
  "pointer": {"type": "string", "pattern": "^/"},
  "pointers": {"anyOf": [{"$ref": "#/definitions/pointer"},
    {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/pointer"}}]},
  "class": {"enum": ["INVALID_REQUEST", "CONTEXT_TOO_LONG", "CONTENT_BLOCKED", "AUTH", "MODEL_NOT_FOUND",
    "RATE_LIMITED", "QUOTA", "OVERLOADED", "UPSTREAM", "TIMEOUT", "BAD_RESPONSE", "UNSUPPORTED"]},
  "finish": {"enum": ["stop", "length", "tool_calls", "content_filter", "error", "other"]}
},
"properties": {
  "base_url": {"type": "string", "minLength": 1, "description": "URL that options.path is appended to"},
  "model": {"type": "string", "description": "{{model}} of a request that names none"},
  "options": {
    "type": "object",
    "required": ["body", "response"],
    "additionalProperties": false,
    "properties": {
      "method": {"enum": ["POST", "PUT", "PATCH"], "default": "POST"},
      "path": {"type": "string", "pattern": "^(/|$)", "default": "", "description": "May hold {{model}}"},
      "headers": {"type": "object", "propertyNames": {"$ref": "#/definitions/name"},
        "additionalProperties": {"type": "string"}, "description": "Sent as they are; keys belong in api_key"},
      "auth": {
        "type": "object", "additionalProperties": false, "description": "Where api_key goes",
        "properties": {
          "mode": {"enum": ["bearer", "header", "query", "none"], "default": "bearer"},
          "name": {"$ref": "#/definitions/name", "description": "The header or query parameter"}
        }
      },
      "body": {"description": "The request body; its placeholders are replaced"},
      "response": {
        "type": "object", "required": ["text"], "additionalProperties": false,
        "description": "JSON pointers into the response",
        "properties": {
          "text": {"$ref": "#/definitions/pointers", "description": "One, or several of which the first with text counts"},
          "reasoning": {"$ref": "#/definitions/pointer"},
          "strip_think": {"type": "boolean", "default": true,
            "description": "Take reasoning that is marked as such out of the text"},
          "finish": {"$ref": "#/definitions/pointer", "description": "Why the answer ends"},
          "finish_map": {"type": "object", "additionalProperties": {"$ref": "#/definitions/finish"},
            "description": "This API's own words for it"},
          "usage": {
            "type": "object", "additionalProperties": false,
            "properties": {
              "prompt": {"$ref": "#/definitions/pointer"},
              "completion": {"$ref": "#/definitions/pointer"},
              "total": {"$ref": "#/definitions/pointer"}
            }
          },
          "model": {"$ref": "#/definitions/pointer"},
          "id": {"$ref": "#/definitions/pointer"}
        }
      },
      "error": {
        "type": "object", "additionalProperties": false, "description": "JSON pointers into an error response",
        "properties": {
          "when": {"$ref": "#/definitions/pointer", "description": "Set in a 2xx response that is an error"},
          "message": {"$ref": "#/definitions/pointer"},
          "code": {"$ref": "#/definitions/pointer"}
        }
      },
      "status_map": {"type": "object", "additionalProperties": false,
        "patternProperties": {"^[2-5][0-9][0-9]$": {"$ref": "#/definitions/class"}},
        "description": "What a status means here"},
      "retry_after": {
        "type": "object", "additionalProperties": false, "description": "Where an error says how long to wait",
        "properties": {
          "header": {"$ref": "#/definitions/name"},
          "pointer": {"$ref": "#/definitions/pointer"},
          "unit": {"enum": ["s", "ms"], "default": "s", "description": "Of a plain number"}
        }
      },
      "stream": {
        "type": "object", "required": ["mode"], "additionalProperties": false,
        "properties": {
          "mode": {"enum": ["sse", "lines"]},
          "enable": {"type": "object", "description": "Body members that ask for a stream"},
          "text": {"$ref": "#/definitions/pointers", "description": "In each event; default: response.text"},
          "done": {
            "anyOf": [
              {"type": "string", "minLength": 1},
              {"type": "object", "required": ["pointer", "equals"], "additionalProperties": false,
                "properties": {"pointer": {"$ref": "#/definitions/pointer"}, "equals": {}}}
            ],
            "description": "The last event: this text, or one with this value there"
          }
        }
      }
    }
  }
}})~";
