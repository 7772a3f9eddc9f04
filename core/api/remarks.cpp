#include "core/api/remarks.h"

#include <algorithm>

#include "core/base/text.h"

namespace stepper::api {
namespace {

constexpr size_t kMostShownBytes = 200;
// Longer words are no slips, and comparing them takes time; shorter ones resemble everything.
constexpr size_t kLongestSlip = 64, kShortestSlip = 3, kShortestBeginning = 4;

// What the same thing is called by other APIs of this kind, and here.
struct Synonym {
    std::string_view theirs, ours;
};
constexpr Synonym kSynonyms[] = {
    {"maxtoken", "maxOutputTokens"},
    {"maxtokens", "maxOutputTokens"},
    {"maxcompletiontokens", "maxOutputTokens"},
    {"maxnewtokens", "maxOutputTokens"},
    {"numpredict", "maxOutputTokens"},
    {"responseformat", "outputSchema"},
    {"responseschema", "outputSchema"},
    {"jsonschema", "outputSchema"},
    {"schema", "outputSchema"},
    {"mode", "responseMode"},
    {"input", "prompt"},
    {"systemprompt", "system"},
    {"systemmessage", "system"},
    {"systeminstruction", "system"},
    {"timeout", "maxDurationSeconds"},
    {"timeoutms", "maxDurationSeconds"},
    {"timeoutseconds", "maxDurationSeconds"},
    {"deadline", "maxDurationSeconds"},
    {"provider", "preferredProviders"},
    {"providers", "preferredProviders"},
    {"user", "tenantId"},
    {"tenant", "tenantId"},
    {"nocache", "cacheControl"},
    {"cache", "cacheControl"},
    {"required", "requiredKeys"},
    {"additionalproperties", "allowAdditionalKeys"},
};

// "max_tokens", "max-tokens" and "maxTokens" are one name.
std::string plain(std::string_view name) {
    std::string out = lower(name);
    std::erase_if(out, [](char c) { return c == '_' || c == '-'; });
    return out;
}

std::string likely(std::string_view name, const std::vector<std::string>& known) {
    if (name.size() < kShortestSlip || name.size() > kLongestSlip) return {};
    const std::string word = plain(name);
    const auto is = [&](std::string_view ours) {
        return std::find(known.begin(), known.end(), ours) != known.end();
    };
    for (const auto& ours : known)
        if (plain(ours) == word) return ours;
    for (const auto& [theirs, ours] : kSynonyms)
        if (theirs == word && is(ours)) return std::string(ours);
    for (const auto& ours : known)
        if (word.size() >= kShortestBeginning && plain(ours).starts_with(word)) return ours;
    return nearest(name, known).value_or("");
}

}  // namespace

bool Remarks::leavesOut() {
    if (found_.size() < kMost) return false;
    ++left_out_;
    return true;
}

void Remarks::add(std::string place, std::string why) {
    if (leavesOut()) return;
    place.resize(utf8Prefix(place, kMostShownBytes).size());
    found_.push_back({std::move(place), std::move(why)});
}

void Remarks::unknown(std::string place, std::string_view name, std::string_view what,
                      const std::vector<std::string>& known) {
    if (leavesOut()) return;
    const std::string meant = likely(name, known);
    add(std::move(place), std::string(what) + (meant.empty() ? "" : "; did you mean '" + meant + "'?"));
}

void Remarks::addAll(const Remarks& part, std::string_view prefix) {
    for (const auto& remark : part.found_) add(std::string(prefix) + remark.place, remark.why);
    left_out_ += part.left_out_;
}

std::string Remarks::refusal() const { return "Invalid " + found_.front().place + ": " + found_.front().why; }

std::vector<std::string> Remarks::warnings() const {
    std::vector<std::string> out;
    for (const auto& [place, why] : found_) out.push_back(place + " is ignored: " + why);
    if (left_out_ > 0) out.push_back("and " + std::to_string(left_out_) + " more like these");
    return out;
}

}  // namespace stepper::api
