// What a provider with `plugin: hfspace` may be configured with.
#pragma once
#include <string_view>

inline constexpr std::string_view kConfigSchema = R"~({
"type": "object",
"required": ["base_url"],
"properties": {
  "base_url": {"type": "string", "minLength": 1, "description": "https://OWNER-SPACE.hf.space"},
  "options": {
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "mode": {"enum": ["infer", "gradio"], "default": "infer",
        "description": "infer: POST /api/infer; gradio: call an endpoint of a Gradio app"},
      "extra_body": {"type": "object", "description": "infer: members added to every request body"},
      "api_name": {"type": "string", "pattern": "^/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", "default": "chat",
        "description": "gradio: the endpoint, as the app's 'Use via API' page names it"},
      "inputs": {"type": "array",
        "description": "gradio: the endpoint's inputs in order; {{prompt}} is replaced. Default: the prompt, and for the endpoint chat an empty history"},
      "text_pointer": {"type": "string", "pattern": "^(/|$)", "default": "/0",
        "description": "gradio: where the text is in the endpoint's outputs, a JSON pointer"},
      "prefix": {"type": "string", "pattern": "^[A-Za-z0-9_./-]*$", "default": "auto",
        "description": "gradio: where the API is. auto: /gradio_api, or at the root (Gradio 4) if it is not there"},
      "wake_poll_ms": {"type": "integer", "minimum": 1, "maximum": 600000, "default": 5000,
        "description": "How long to wait before a sleeping Space is asked again"},
      "wake_attempts": {"type": "integer", "minimum": 0, "maximum": 50, "default": 12,
        "description": "How often it is asked again before the attempt fails; 0 = not at all"}
    }
  }
}})~";
