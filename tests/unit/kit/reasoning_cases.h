// Texts as models send them, and which part of each is reasoning. Sources are public bug reports.
#pragma once

namespace stepper::kit {

struct ReasoningCase {
    const char *answer, *text, *reasoning;
};

inline constexpr ReasoningCase kReasoningCases[] = {
    // A block at the start.
    {"<think>plan</think>\n\nHi", "Hi", "plan"},
    {" \n<think>a < b </thin </think>Hi", "Hi", "a < b </thin "},
    {"<think></think>Hi", "Hi", ""},
    {"<think>never closed </thi", "", "never closed </thi"},
    {"<think>", "", ""},
    {"<think>a</think> \n ", "", "a"},
    {"<think>a</think>\n<think>b</think>\nc", "c", "ab"},
    {"<THINK>d</Think>x", "x", "d"},
    {"<thinking>maybe {\"a\":5}</thinking>\n{\"a\":18}", "{\"a\":18}", "maybe {\"a\":5}"},
    {"<reasoning>d</reasoning>\nx", "x", "d"},
    {"<thought>d</thought>x", "x", "d"},
    {"<seed:think>d</seed:think>x", "x", "d"},
    {"[THINK]d[/THINK]x", "x", "d"},
    {"\xE2\x97\x81think\xE2\x96\xB7"
     "d\xE2\x97\x81/think\xE2\x96\xB7x",
     "x", "d"},
    {"<|START_THINKING|>d<|END_THINKING|><|START_RESPONSE|>x<|END_RESPONSE|>", "x", "d"},
    {"<|channel>thought\nd<channel|>x", "x", "\nd"},
    // ggml-org/llama.cpp#27661: the reasoning quotes its own closer.
    {"<think>The `</think>` tag. So.\n</think>\nyes", "yes", "The `</think>` tag. So.\n"},
    // After a greeting, once, and only if it closes.
    {"Sure!\n<think>draft</think>\n{}", "Sure!\n{}", "draft"},
    {"Sure!\n<think>draft</think>{}", "Sure!\n{}", "draft"},
    {"Sure!\n<think>draft", "Sure!\n<think>draft", ""},
    // Aider-AI/aider#5395: once the answer has begun, a closer is part of it.
    {"<think>r</think>Here is code: print('</think>')", "Here is code: print('</think>')", "r"},
    {"<think>a</think>b</think>c", "b</think>c", "a"},
    // The chat template swallowed the opener: vllm-project/vllm#12999, sgl-project/sglang#36285.
    {"They said coffee.\n</think>\n\n{}", "{}", "They said coffee.\n"},
    {"Provide it briefly.</think>391", "391", "Provide it briefly."},
    {"Let's write the answer.</think>The root cause is", "The root cause is", "Let's write the answer."},
    {"so 42</think>\n\n42", "42", "so 42"},
    {"internal\n</think>{\"a\":1}", "{\"a\":1}", "internal\n"},
    {"\xE7\xAD\x94\xE3\x80\x82</think>\xE6\x98\xAF", "\xE6\x98\xAF", "\xE7\xAD\x94\xE3\x80\x82"},
    {"</think>\n\nHi", "Hi", ""},
    {"hm\n[/THINK]x", "x", "hm\n"},
    {"hm\n</thinking>\nx", "x", "hm\n"},
    // Harmony: llama.cpp#15181, NVIDIA/TensorRT-LLM#9256, mlx-lm#1867, macprovider#743.
    {"<|channel|>analysis<|message|>d<|end|><|start|>assistant<|channel|>final<|message|>x", "x", "d"},
    {"<|channel|>analysis<|message|>d<|end|>x", "x", "d"},
    {"<|channel|>analysis<|message|>d<|start|>assistant<|channel|>commentary to=f "
     "<|constrain|>json<|message|>{}<|call|><|start|>assistant<|channel|>final "
     "<|constrain|>JSON<|message|>{\"a\":1}<|return|>",
     "{\"a\":1}", "d{}"},
    {"<|channel|>final<|message|>x<|return|>", "x", ""},
    {"d hm<|end|><|start|>assistant<|channel|>final<|message|>x", "x", "d hm"},
    {"<|channel|>analysis<|message|>cut off", "", "cut off"},
    {"analysisWe need four.assistantfinalfour", "four", "We need four."},
    {"analysisWe need four.", "analysisWe need four.", ""},
    {"analysis of x: assistantfinal", "analysis of x: assistantfinal", ""},
    // Mentions: lobehub/lobehub#12479, openclaw/openclaw#49337, nesquena/hermes-webui#2152,
    // larksuite/openclaw-lark#488, bytedance/deer-flow#5540.
    {"The reasoning ends with </think> and the answer follows.",
     "The reasoning ends with </think> and the answer follows.", ""},
    {"Use <think> to start and </think> to end it.", "Use <think> to start and </think> to end it.", ""},
    {"Hi <think>not leading</think>", "Hi <think>not leading</think>", ""},
    {"Use `</think>` here, or \"</think>\".", "Use `</think>` here, or \"</think>\".", ""},
    {"Use **</think>** here.", "Use **</think>** here.", ""},
    {"print('</think>')", "print('</think>')", ""},
    {"```\n<think>\nx\n</think>\ny\n```\nok", "```\n<think>\nx\n</think>\ny\n```\nok", ""},
    {"~~~\nx\n</think>\n~~~\n", "~~~\nx\n</think>\n~~~\n", ""},
    {"1. </think>\n2. <think>", "1. </think>\n2. <think>", ""},
    {"Tags:\n<think> opens and </think> closes.", "Tags:\n<think> opens and </think> closes.", ""},
    {"<think> is a tag, </think> too.", "<think> is a tag, </think> too.", ""},
    {"<think>, <reasoning>: marks.", "<think>, <reasoning>: marks.", ""},
    {"</think> marks the end.", "</think> marks the end.", ""},
    {"It ends with\n</think> and then", "It ends with\n</think> and then", ""},
    {"Emit <|channel|>final<|message|> first.", "Emit <|channel|>final<|message|> first.", ""},
    {"{\"a\":\"x.</think>y\"}", "{\"a\":\"x.</think>y\"}", ""},
    {"<a>\n<reasoning>\nx\n</reasoning>\n</a>", "<a>\n<reasoning>\nx\n</reasoning>\n</a>", ""},
    // Nothing of the kind.
    {"  <thi", "  <thi", ""},
    {"a < b\n<b>c</b> [1] \xE2\x80\xA6", "a < b\n<b>c</b> [1] \xE2\x80\xA6", ""},
    {"  two\n\n spaces ", "  two\n\n spaces ", ""},
};

}  // namespace stepper::kit
