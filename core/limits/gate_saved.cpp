// How what a provider asked for is kept across restarts, in durations from the moment of the save.
#include <algorithm>
#include <array>

#include "core/base/json.h"
#include "core/limits/gate.h"

namespace stepper::limits {
namespace {

constexpr int64_t kMostInRow = 1'000;
// Enough to tell targets apart; of no use to whoever looks for the key in it.
constexpr size_t kDigestLength = 16;

constexpr std::array kDenials{Denial::RateLimited, Denial::CircuitOpen, Denial::Disabled};
constexpr std::array kSetAsides{SetAside::KeyRefused, SetAside::ModelMissing};

std::string_view nameOf(SetAside s) { return s == SetAside::KeyRefused ? "key_refused" : "model_missing"; }
std::string_view nameOf(Denial d) { return name(d); }

// The one that is named.
template <class T, size_t N>
std::optional<T> among(const std::array<T, N>& all, std::optional<std::string_view> named) {
    for (const T candidate : all)
        if (named == nameOf(candidate)) return candidate;
    return std::nullopt;
}

int countIn(const json::Value& v, std::string_view key) {
    return static_cast<int>(std::clamp<int64_t>(json::integer(v, key).value_or(0), 0, kMostInRow));
}

int64_t msUntil(SteadyTime then, SteadyTime now) {
    return std::chrono::ceil<milliseconds>(std::max(then, now) - now).count();
}

}  // namespace

Gate::SavedStanding Gate::saveStanding() {
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.now();
    if (standing_.until <= now) return {"", standing_version_};
    json::Buffer text;
    json::Writer w(text);
    w.StartObject();
    json::put(w, "target", std::string_view(options_.target_digest).substr(0, kDigestLength));
    json::put(w, "why", nameOf(standing_.why));
    json::putInt(w, "ms", msUntil(standing_.until, now));
    json::putInt(w, "limitsInRow", standing_.limits_in_row);
    json::putInt(w, "refusalsInRow", standing_.refusals_in_row);
    if (standing_.set_aside) json::put(w, "setAside", nameOf(*standing_.set_aside));
    if (standing_.quota_until > now) {
        json::put(w, "quotaWords", standing_.quota_words);
        json::putInt(w, "quotaMs", msUntil(standing_.quota_until, now));
    }
    w.EndObject();
    return {{text.GetString(), text.GetSize()}, standing_version_};
}

void Gate::standingSaved(uint64_t version) {
    std::lock_guard lock(mutex_);
    saved_standing_ = std::max(saved_standing_, version);
}

uint64_t Gate::standingToSave() {
    std::lock_guard lock(mutex_);
    return saved_standing_ == standing_version_ ? 0 : standing_version_;
}

bool Gate::standingIsSaved(uint64_t version) {
    std::lock_guard lock(mutex_);
    return saved_standing_ >= version;
}

bool Gate::restoreStanding(std::string_view text, milliseconds age) {
    const auto saved = json::parse(text);
    if (!saved) return false;
    const auto why = among(kDenials, json::string(*saved, "why"));
    const auto ms = json::integer(*saved, "ms");
    if (!why || !ms) return false;
    std::lock_guard lock(mutex_);
    const auto target = std::string_view(options_.target_digest).substr(0, kDigestLength);
    const auto left = [age](int64_t of) {
        return std::min(
            milliseconds{std::clamp<int64_t>(of, 0, kLongestPause.count())} - std::max(age, milliseconds{0}),
            kLongestPause);
    };
    if (json::string(*saved, "target") != target || left(*ms) <= milliseconds{0}) return true;
    const SteadyTime now = clock_.now();
    standing_.until = now + left(*ms);
    standing_.why = *why;
    standing_.limits_in_row = countIn(*saved, "limitsInRow");
    standing_.refusals_in_row = countIn(*saved, "refusalsInRow");
    standing_.set_aside = among(kSetAsides, json::string(*saved, "setAside"));
    standing_.quota_words = json::string(*saved, "quotaWords").value_or("");
    standing_.quota_until = now + left(json::integer(*saved, "quotaMs").value_or(0));
    return true;
}

}  // namespace stepper::limits
