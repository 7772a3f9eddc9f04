// How quotas are kept across restarts. Moments are wall-clock milliseconds and mean how long before "wall",
// the moment of the save, they were. "unsettled" units are stamped when they are read again, which is later
// than they can have been sent.
#include <algorithm>

#include "core/base/json.h"
#include "core/limits/quotas.h"

namespace stepper::limits {
namespace {

constexpr int64_t kVersion = 1;
constexpr int64_t kSpareShare = 50;  // of the smallest request limit may go unsaved, but not more than
constexpr int64_t kMostSpare = 1'000;
constexpr int64_t kMostUnits = 1'000'000'000'000;
constexpr int64_t kMostMs = 9'000'000'000'000;  // the clocks' type ends soon after

std::string_view nameOf(Unit unit) { return unit == Unit::Requests ? "requests" : "tokens"; }

int64_t wallMs(WallTime t) { return std::chrono::ceil<milliseconds>(t).time_since_epoch().count(); }

struct SavedMark {
    WallTime at;
    int64_t units;
};
struct SavedWindow {
    Unit unit;
    milliseconds length;
    std::vector<SavedMark> marks;
    int64_t unsettled;
};
struct SavedDay {
    Unit unit;
    DayWindow::Saved window;
};

std::optional<Unit> unitIn(const json::Value& v) {
    const auto unit = json::string(v, "unit");
    if (unit == nameOf(Unit::Requests)) return Unit::Requests;
    if (unit == nameOf(Unit::Tokens)) return Unit::Tokens;
    return std::nullopt;
}

std::optional<int64_t> within(std::optional<int64_t> n, int64_t most) {
    return n && *n >= 0 && *n <= most ? n : std::nullopt;
}

std::optional<int64_t> integerOf(const json::Value& v) {
    return v.IsInt64() ? std::optional(v.GetInt64()) : std::nullopt;
}

// "sent": moment, units, moment, units ...
std::optional<std::vector<SavedMark>> marksIn(const json::Value& v) {
    const json::Value* sent = json::find(v, "sent");
    if (!sent || !sent->IsArray() || sent->Size() % 2 != 0) return std::nullopt;
    std::vector<SavedMark> marks;
    for (rapidjson::SizeType i = 0; i < sent->Size(); i += 2) {
        const auto at = within(integerOf((*sent)[i]), kMostMs);
        const auto units = within(integerOf((*sent)[i + 1]), kMostUnits);
        if (!at || !units) return std::nullopt;
        marks.push_back({WallTime{milliseconds{*at}}, *units});
    }
    return marks;
}

std::optional<SavedWindow> windowIn(const json::Value& v) {
    const auto unit = unitIn(v);
    const auto length = within(json::integer(v, "ms"), kMostMs);
    const auto unsettled = within(json::integer(v, "unsettled"), kMostUnits);
    auto marks = marksIn(v);
    if (!unit || !length || !unsettled || !marks) return std::nullopt;
    return SavedWindow{*unit, milliseconds{*length}, std::move(*marks), *unsettled};
}

std::optional<SavedDay> dayIn(const json::Value& v) {
    const auto unit = unitIn(v);
    const auto day = within(json::integer(v, "day"), kMostMs);
    const auto units = within(json::integer(v, "units"), kMostUnits);
    // Older versions do not tell.
    const auto late = within(json::integer(v, "late"), kMostUnits);
    if (!unit || !day || !units) return std::nullopt;
    return SavedDay{*unit, {WallTime{milliseconds{*day}}, *units, late.value_or(0)}};
}

// The member's elements, if it is an array in which each is well-formed.
template <class T>
std::optional<std::vector<T>> all(const json::Value& root, std::string_view key,
                                  std::optional<T> (*read)(const json::Value&)) {
    const json::Value* list = json::find(root, key);
    if (!list || !list->IsArray()) return std::nullopt;
    std::vector<T> elements;
    for (const json::Value& v : list->GetArray()) {
        auto element = read(v);
        if (!element) return std::nullopt;
        elements.push_back(std::move(*element));
    }
    return elements;
}

}  // namespace

// Permits that may go out before the next save. A crash costs at most so many.
int64_t Quotas::spare() const {
    std::optional<int64_t> smallest;
    for (const Sliding& s : sliding_)
        if (s.unit == Unit::Requests) smallest = std::min(smallest.value_or(s.configured), s.configured);
    for (const Daily& d : daily_)
        if (d.unit == Unit::Requests) smallest = std::min(smallest.value_or(d.configured), d.configured);
    return std::min(smallest.value_or(0) / kSpareShare, kMostSpare);
}

Quotas::Saved Quotas::save(bool final) {
    const SteadyTime now = clock_.now();
    const DayTime today = dayTime();
    const WallTime wall = today.wall;
    const int64_t permits = final ? 0 : spare();
    const Units ahead{permits, permits * last_tokens_};
    json::Buffer text;
    json::Writer w(text);
    w.StartObject();
    json::putInt(w, "version", kVersion);
    json::putInt(w, "wall", wallMs(wall));
    w.Key("windows");
    w.StartArray();
    for (Sliding& s : sliding_) {
        w.StartObject();
        json::put(w, "unit", nameOf(s.unit));
        json::putInt(w, "ms", s.window.length().count());
        w.Key("sent");
        w.StartArray();
        for (const auto& mark : s.window.marks(now)) {
            w.Int64(wallMs(wall + (mark.at - now)));
            w.Int64(mark.units);
        }
        w.EndArray();
        json::putInt(w, "unsettled", s.window.reserved() + ahead.of(s.unit));
        w.EndObject();
    }
    w.EndArray();
    w.Key("days");
    w.StartArray();
    for (Daily& d : daily_) {
        w.StartObject();
        json::put(w, "unit", nameOf(d.unit));
        const auto saved = d.window.saved(today);
        json::putInt(w, "day", wallMs(saved.day));
        json::putInt(w, "units", saved.units + ahead.of(d.unit));
        json::putInt(w, "late", saved.late);
        w.EndObject();
    }
    w.EndArray();
    w.EndObject();
    return {{text.GetString(), text.GetSize()}, number_ + permits};
}

void Quotas::confirm(int64_t covers) { covered_ = std::max(covered_, covers); }

bool Quotas::restore(std::string_view text, std::optional<milliseconds> age) {
    const auto parsed = json::parse(text);
    if (!parsed || json::integer(*parsed, "version") != kVersion) return false;
    const auto windows = all<SavedWindow>(*parsed, "windows", windowIn);
    const auto days = all<SavedDay>(*parsed, "days", dayIn);
    if (!windows || !days) return false;

    const SteadyTime now = clock_.now();
    const DayTime today = dayTime();
    const auto wall = within(json::integer(*parsed, "wall"), kMostMs);
    const bool knows = age && wall;
    const DayTime then = knows ? DayTime{WallTime{milliseconds{*wall}}, today.uptime - *age} : today;
    const auto since = knows ? std::max(*age, milliseconds{0}) : milliseconds{0};
    for (const SavedWindow& saved : *windows) {
        for (Sliding& s : sliding_) {
            if (s.unit != saved.unit || s.window.length() != saved.length) continue;
            // A wall clock that was put back must not make it last longer.
            for (const SavedMark& mark : saved.marks)
                s.window.adjust(now - since - std::max(then.wall - mark.at, WallTime::duration::zero()),
                                mark.units);
            s.window.adjust(now, saved.unsettled);
        }
    }
    for (const SavedDay& saved : *days)
        for (Daily& d : daily_)
            if (d.unit == saved.unit) d.window.restore(today, then, saved.window);
    return true;
}

}  // namespace stepper::limits
