#include "core/engine/usage_keeper.h"

#include <new>

#include "core/base/json.h"
#include "core/telemetry/rounds.h"

namespace stepper::engine {
namespace {

constexpr std::string_view kPrefix = "usage/";
constexpr milliseconds kPause{3'000};
// Notes leave in portions, so that jobs are not held up; more portions than a round needs, but not endless.
constexpr size_t kPortion = 500;
constexpr int kMostPortions = 64;

std::string prefixOf(Day day) { return std::string(kPrefix) + isoDay(day) + '/'; }

// {"groq":[requests,failed,tokens in,tokens out,cost or null],...}
std::string textOf(const TenantUsage& usage) {
    json::Buffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    for (const auto& [provider, counts] : usage) {
        w.Key(provider.data(), static_cast<rapidjson::SizeType>(provider.size()));
        w.StartArray();
        for (const int64_t n : {counts.requests, counts.failed, counts.tokens_in, counts.tokens_out})
            w.Int64(n);
        if (counts.cost) {
            w.Double(*counts.cost);
        } else {
            w.Null();
        }
        w.EndArray();
    }
    w.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

std::optional<UsageCounts> countsIn(const json::Value& v) {
    if (!v.IsArray() || v.Size() != 5) return std::nullopt;
    for (rapidjson::SizeType i = 0; i < 4; ++i)
        if (!v[i].IsInt64()) return std::nullopt;
    UsageCounts out{v[0].GetInt64(), v[1].GetInt64(), v[2].GetInt64(), v[3].GetInt64(), {}};
    if (v[4].IsNumber()) out.cost = v[4].GetDouble();
    return out;
}

// What of it can be read.
TenantUsage usageIn(std::string_view text) {
    TenantUsage out;
    const auto parsed = json::parse(text);
    if (!parsed || !parsed->IsObject()) return out;
    for (const auto& member : parsed->GetObject())
        if (const auto counts = countsIn(member.value))
            out.push_back({std::string(json::view(member.name)), *counts});
    return out;
}

}  // namespace

std::string isoDay(Day day) {
    constexpr size_t kDateLength = 10;
    return isoTime(day).substr(0, kDateLength);
}

UsageKeeper::~UsageKeeper() { close(); }

void UsageKeeper::start() {
    thread_ = std::thread([this] { loop(); });
}

void UsageKeeper::close() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_all();
    if (!thread_.joinable()) return;
    thread_.join();
    hasMemoryFor("keeping usage", [this] { keepOrComplain(); });
}

void UsageKeeper::loop() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kPause, [this] { return stop_; })) {
        lock.unlock();
        hasMemoryFor("keeping usage", [this] { keepOrComplain(); });
        lock.lock();
    }
}

void UsageKeeper::keepOrComplain() {
    if (const auto kept = keep(); !kept) return trouble_.tell(kept.error().message);
    trouble_.over();
}

Result<void> UsageKeeper::keep() {
    std::lock_guard one_at_a_time(store_mutex_);
    for (const Day day : usage_.incomplete()) {
        const auto before = written(day, {}, SIZE_MAX);
        if (!before) return before.error();
        usage_.complete(day, *before);
    }
    if (auto done = writeChanges(); !done) return done;
    usage_.forgetWritten();
    return removeOld();
}

Result<DayUsage> UsageKeeper::written(Day day, std::string_view first, size_t most) {
    const std::string prefix = prefixOf(day);
    const auto notes = store_.notes(prefix, prefix + std::string(first), most);
    if (!notes) return notes.error();
    DayUsage out;
    for (const auto& note : *notes)
        out.emplace_hint(out.end(), note.name.substr(prefix.size()), usageIn(note.text));
    return out;
}

Result<void> UsageKeeper::write(const std::vector<Usage::Change>& changes) try {
    std::vector<store::Note> notes;
    for (const auto& change : changes)
        notes.push_back({prefixOf(change.day) + change.tenant, textOf(change.usage)});
    return store_.putNotes(notes);
} catch (const std::bad_alloc&) {
    return Error{ErrorClass::Overloaded, "out of memory"};
}

Result<void> UsageKeeper::writeChanges() {
    for (int i = 0; i < kMostPortions; ++i) {
        const auto changes = usage_.takeChanges(kPortion);
        if (changes.empty()) break;
        if (auto done = write(changes); !done) {
            usage_.putBack(changes);
            return done;
        }
        if (changes.size() < kPortion) break;
    }
    return {};
}

Result<void> UsageKeeper::removeOld() {
    const Day today = usage_.today();
    if (cleaned_on_ == today) return {};
    const std::string oldest_kept = prefixOf(today - std::chrono::days(kDays - 1));
    for (;;) {
        auto notes = store_.notes(kPrefix, kPrefix, kPortion);
        if (!notes) return notes.error();
        std::erase_if(*notes, [&](const store::Note& note) { return note.name >= oldest_kept; });
        if (notes->empty()) break;
        for (auto& note : *notes) note.text.clear();
        if (auto done = store_.putNotes(*notes); !done) return done;
    }
    cleaned_on_ = today;
    return {};
}

Result<DayUsage> UsageKeeper::page(Day day, std::string_view first, size_t most) {
    std::lock_guard one_at_a_time(store_mutex_);
    auto [whole, tenants] = usage_.of(day, first, most);
    if (whole) return std::move(tenants);
    const auto before = written(day, first, most);
    if (!before) return before.error();
    for (const auto& [name, usage] : *before)
        for (const auto& [provider, counts] : usage) countsOf(tenants[name], provider).add(counts);
    // Behind so many of both there may be others that only one of them has shown.
    while (tenants.size() > most) tenants.erase(std::prev(tenants.end()));
    return std::move(tenants);
}

}  // namespace stepper::engine
