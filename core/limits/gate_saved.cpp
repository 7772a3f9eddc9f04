// How quotas and what a provider asked for are kept across restarts: {"keys":[{"target", ...}]}; before there
// were several keys, of the one alone. Of the digests only as much as tells them apart, which is of no use to
// whoever looks for the key in it.
#include <algorithm>

#include "core/base/json.h"
#include "core/limits/gate.h"
#include "core/limits/heirs.h"

namespace stepper::limits {
namespace {

constexpr size_t kDigestLength = 16;

std::string shortOf(std::string_view target) { return std::string(target.substr(0, kDigestLength)); }

std::string textOf(const json::Buffer& buffer) { return {buffer.GetString(), buffer.GetSize()}; }

// One for each key, whichever form the text has.
std::vector<const json::Value*> keysIn(const json::Document& saved) {
    const json::Value* list = json::find(saved, "keys");
    if (!list || !list->IsArray()) return {&saved};
    std::vector<const json::Value*> out;
    for (const auto& one : list->GetArray()) out.push_back(&one);
    return out;
}

}  // namespace

// A key that a reload has taken away is not saved any more.
bool Gate::covers(const Pass& pass) {
    std::lock_guard lock(mutex_);
    return !has(pass.key) || pass.key->quotas.covers(pass.permit);
}

Gate::Saved Gate::save(bool final) {
    std::lock_guard lock(mutex_);
    Saved out;
    json::Buffer text;
    json::Writer w(text);
    w.StartObject();
    w.Key("keys");
    w.StartArray();
    for (const auto& key : keys_) {
        const auto saved = key->quotas.save(final);
        out.covers.emplace_back(key, saved.covers);
        w.StartObject();
        json::put(w, "target", shortOf(key->target));
        w.Key("quotas");
        w.RawValue(saved.text.data(), saved.text.size(), rapidjson::kObjectType);
        w.EndObject();
    }
    w.EndArray();
    w.EndObject();
    out.text = textOf(text);
    return out;
}

void Gate::saved(const Saved& written) {
    std::lock_guard lock(mutex_);
    for (const auto& [key, covers] : written.covers) key->quotas.confirm(covers);
}

bool Gate::restore(std::string_view text, std::optional<milliseconds> age) {
    const auto saved = json::parse(text);
    if (!saved) return false;
    std::lock_guard lock(mutex_);
    if (!json::find(*saved, "keys")) return keys_.front()->quotas.restore(text, age);
    const auto all = keysIn(*saved);
    std::vector<std::string> before, now;
    for (const auto* one : all) before.emplace_back(json::string(*one, "target").value_or(""));
    for (const auto& key : keys_) now.push_back(shortOf(key->target));
    const auto heirs = heirsOf(now, before);
    bool well = true;
    for (size_t i = 0; i < keys_.size(); ++i) {
        const json::Value* quotas = heirs[i] ? json::find(*all[*heirs[i]], "quotas") : nullptr;
        if (heirs[i]) well = quotas && keys_[i]->quotas.restore(json::dump(*quotas), age) && well;
    }
    return well;
}

Gate::SavedStanding Gate::saveStanding() {
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.now();
    if (std::ranges::none_of(keys_, [now](const auto& key) { return now < key->standing.until(); }))
        return {"", standing_version_};
    json::Buffer text;
    json::Writer w(text);
    w.StartObject();
    w.Key("keys");
    w.StartArray();
    for (const auto& key : keys_) {
        if (now >= key->standing.until()) continue;
        w.StartObject();
        json::put(w, "target", shortOf(key->target));
        key->standing.save(now, w);
        w.EndObject();
    }
    w.EndArray();
    w.EndObject();
    return {textOf(text), standing_version_};
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
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.now();
    bool well = true;
    for (const json::Value* one : keysIn(*saved)) {
        Standing standing;
        if (!standing.restore(now, *one, age)) {
            well = false;
            continue;
        }
        for (const auto& key : keys_)
            if (json::string(*one, "target") == shortOf(key->target)) key->standing = standing;
    }
    return well;
}

}  // namespace stepper::limits
