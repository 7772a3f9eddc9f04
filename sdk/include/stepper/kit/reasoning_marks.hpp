// stepper/kit/reasoning_marks.hpp - how models mark their reasoning inside the text of an answer. Pure.
//
// The marks are those that vLLM's, SGLang's and llama.cpp's reasoning parsers, Open WebUI and the models'
// own chat templates know; harmony is the format of OpenAI's open models (github.com/openai/harmony).
#pragma once
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>

#include "stepper/kit/text.hpp"

namespace stepper::kit::marks {

struct Pair {
    std::string_view open, close;
};

inline constexpr Pair kPairs[] = {
    {"<think>", "</think>"},
    {"<thinking>", "</thinking>"},
    {"<reasoning>", "</reasoning>"},
    {"<reason>", "</reason>"},
    {"<thought>", "</thought>"},
    {"<thoughts>", "</thoughts>"},
    {"<seed:think>", "</seed:think>"},                                    // Seed-OSS
    {"<mm:think>", "</mm:think>"},                                        // MiniMax
    {"[THINK]", "[/THINK]"},                                              // Magistral
    {"\xE2\x97\x81think\xE2\x96\xB7", "\xE2\x97\x81/think\xE2\x96\xB7"},  // Kimi
    {"<|START_THINKING|>", "<|END_THINKING|>"},                           // Command A
    {"<|begin_of_thought|>", "<|end_of_thought|>"},                       // Sky-T1
    {"<|channel>thought", "<channel|>"},                                  // Gemma
};
// Harmony is no pair: a channel's name says what follows it.
inline constexpr size_t kHarmony = std::size(kPairs);
// Harmony whose special tokens the server dropped: analysisWe need ... assistantfinalHello
inline constexpr Pair kBareHarmony = {"analysis", "assistantfinal"};
inline constexpr size_t kBare = kHarmony + 1;

// What may stand around the answer after the reasoning, and belongs to neither.
inline constexpr std::string_view kLeads[] = {"<|START_RESPONSE|>", "<|begin_of_solution|>"};
inline constexpr std::string_view kTrails[] = {"<|END_RESPONSE|>", "<|end_of_solution|>", "<|return|>",
                                               "<|end|>"};

// How far a text goes along with a mark; Partly: it is too short to tell.
enum class Match { No, Partly, Yes };

struct Found {
    Match match = Match::No;
    size_t length = 0;  // of the mark
    size_t kind = 0;    // of an opener: the index of its pair, kHarmony or kBare
};

inline Match match(std::string_view text, std::string_view mark) {
    const size_t n = std::min(text.size(), mark.size());
    if (lower(text.substr(0, n)) != lower(mark.substr(0, n))) return Match::No;
    return n == mark.size() ? Match::Yes : Match::Partly;
}

template <class Marks>
Found anyOf(std::string_view text, const Marks& all) {
    Found out;
    for (const std::string_view mark : all) {
        const Match m = match(text, mark);
        if (m == Match::Yes) return {m, mark.size(), 0};
        if (m == Match::Partly) out.match = m;
    }
    return out;
}

// A mark may begin with that character.
inline bool mayBegin(char c) { return c == '<' || c == '[' || c == '\xE2'; }

// "<|end|><|start|>assistant<|channel|>NAME ...<|message|>", the first two optional.
struct Header : Found {
    bool final = false;  // the channel is the one that holds the answer
};

inline Header header(std::string_view text) {
    constexpr std::string_view kChannel = "<|channel|>", kMessage = "<|message|>";
    constexpr size_t kLongest = 200;
    size_t i = 0;
    for (const std::string_view optional : {"<|end|>", "<|start|>assistant"}) {
        const Match m = match(text.substr(i), optional);
        if (m == Match::Partly) return {{m}};
        if (m == Match::Yes) i += optional.size();
    }
    if (const Match m = match(text.substr(i), kChannel); m != Match::Yes) return {{m}};
    const std::string_view rest = text.substr(i + kChannel.size(), kLongest);
    const size_t line = std::min(rest.find('\n'), kLongest), end = rest.substr(0, line).find(kMessage);
    if (end == std::string_view::npos) return {{rest.size() >= line ? Match::No : Match::Partly}};
    return {{Match::Yes, i + kChannel.size() + end + kMessage.size(), kHarmony},
            trim(rest).starts_with("final")};
}

inline Found opener(std::string_view text) {
    Found out;
    for (size_t kind = 0; kind < std::size(kPairs); ++kind) {
        const Match m = match(text, kPairs[kind].open);
        if (m == Match::Yes) return {m, kPairs[kind].open.size(), kind};
        if (m == Match::Partly) out.match = m;
    }
    const Header h = header(text);
    if (h.match == Match::Yes) return h.final ? Found{} : Found(h);
    if (h.match == Match::Partly) out.match = h.match;
    return out;
}

// What ends a block of that kind. The next channel's header ends a harmony block and is left in the text.
inline Found closer(std::string_view text, size_t kind) {
    if (kind == kBare) return {match(text, kBareHarmony.close), kBareHarmony.close.size(), 0};
    if (kind != kHarmony) return {match(text, kPairs[kind].close), kPairs[kind].close.size(), 0};
    constexpr std::string_view kEnds[] = {"<|end|>", "<|return|>", "<|call|>"};
    constexpr std::string_view kNext[] = {"<|start|>", "<|channel|>"};
    const Found end = anyOf(text, kEnds), next = anyOf(text, kNext);
    if (next.match == Match::Yes) return {Match::Yes, 0, 0};
    return end.match == Match::No ? Found{next.match, 0, 0} : end;
}

// A closer of any kind, for a block whose opener the chat template has swallowed.
inline Found anyCloser(std::string_view text) {
    Found out;
    for (const Pair& pair : kPairs) {
        const Match m = match(text, pair.close);
        if (m == Match::Yes) return {m, pair.close.size(), 0};
        if (m == Match::Partly) out.match = m;
    }
    const Header h = header(text);
    if (h.match == Match::Yes && h.final) return h;
    if (h.match == Match::Partly) out.match = h.match;
    return out;
}

}  // namespace stepper::kit::marks
