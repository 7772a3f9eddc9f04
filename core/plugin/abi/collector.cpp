#include "core/plugin/abi/collector.h"

namespace stepper::plugin {
namespace {

// Providers send counts as integers or as floats (5.0); a negative one is nonsense.
std::optional<int64_t> count(const json::Value& usage, std::string_view key) {
    const auto n = json::number(usage, key);
    return n && *n >= 0 && *n < 9e15 ? std::optional(static_cast<int64_t>(*n)) : std::nullopt;
}

}  // namespace

void Collector::toolCall(std::string_view text) {
    auto parsed = json::parse(text);
    if (!parsed) return;
    auto& all = answer_.tool_calls;
    if (parsed->IsArray()) {
        for (const auto& call : parsed->GetArray())
            all.PushBack(json::Value(call, all.GetAllocator()), all.GetAllocator());
    } else {
        all.PushBack(json::Value(*parsed, all.GetAllocator()), all.GetAllocator());
    }
}

void Collector::usage(std::string_view text) {
    auto parsed = json::parse(text);
    if (!parsed) return;
    Tokens& u = answer_.usage;
    u = {count(*parsed, "prompt_tokens"), count(*parsed, "completion_tokens"), count(*parsed, "total_tokens"),
         count(*parsed, "reasoning_tokens"), count(*parsed, "cached_tokens")};
    if (!u.total && u.prompt && u.completion) u.total = *u.prompt + *u.completion;
}

void Collector::meta(std::string_view text) {
    auto parsed = json::parse(text);
    if (!parsed || !parsed->IsObject()) return;
    if (const auto fate = json::string(*parsed, "text_so_far"); fate == "reasoning" || fate == "void") {
        if (fate == "reasoning") answer_.reasoning += answer_.text;
        answer_.text.clear();
        parsed->RemoveMember("text_so_far");
    }
    if (const auto model = json::string(*parsed, "model")) answer_.model = *model;
    if (const auto id = json::string(*parsed, "id")) answer_.response_id = *id;
    if (const auto* warnings = json::find(*parsed, "warnings"); warnings && warnings->IsArray())
        for (const auto& w : warnings->GetArray())
            if (w.IsString()) answer_.warnings.emplace_back(json::view(w));
    auto& all = answer_.meta;
    for (const auto& [key, value] : parsed->GetObject()) {
        all.RemoveMember(key);
        all.AddMember(json::Value(key, all.GetAllocator()), json::Value(value, all.GetAllocator()),
                      all.GetAllocator());
    }
}

}  // namespace stepper::plugin
