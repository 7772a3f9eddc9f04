#include "core/limits/hints.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <tuple>

#include "core/base/text.h"
#include "core/base/units.h"

namespace stepper::limits {
namespace {

using namespace std::chrono_literals;

constexpr size_t kLongestValue = 256;
constexpr size_t kMostAllowances = 16;
constexpr double kMostUnits = 1e12;
constexpr milliseconds kLongestWait = 24h * 400;  // no quota is reset less often

template <class T>
struct Word {
    std::string_view word;
    T meaning;
};

template <class T, size_t N>
std::optional<T> lookUp(const Word<T> (&table)[N], std::string_view word) {
    for (const Word<T>& entry : table)
        if (entry.word == word) return entry.meaning;
    return std::nullopt;
}

// Parts between separators, blanks trimmed; separators inside quotes separate nothing.
std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    bool quoted = false;
    size_t begin = 0;
    for (size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && text[i] == '"') quoted = !quoted;
        if (i < text.size() && (quoted || text[i] != separator)) continue;
        parts.push_back(trim(text.substr(begin, i - begin)));
        begin = i + 1;
    }
    return parts;
}

// A plain decimal: no sign, exponent, "inf" or "nan".
std::optional<double> number(std::string_view text) {
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    double value = 0;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value, std::chars_format::fixed);
    if (error != std::errc{} || end != last) return std::nullopt;
    return value;
}

std::optional<int64_t> units(std::string_view text, int64_t least) {
    const auto n = number(text);
    if (!n || *n > kMostUnits || *n < static_cast<double>(least)) return std::nullopt;
    return static_cast<int64_t>(*n);
}

std::optional<milliseconds> wait(double ms) {
    if (ms > static_cast<double>(kLongestWait.count())) return std::nullopt;
    return milliseconds{static_cast<int64_t>(std::ceil(std::max(ms, 0.0) - 1e-6))};
}

double msBetween(WallTime from, WallTime to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

// A duration, a date, or epoch seconds or milliseconds. What is past is 0.
std::optional<milliseconds> waitUntil(std::string_view text, WallTime now) {
    if (const auto n = number(text)) {
        if (*n < 1e9) return wait(*n * 1e3);
        return wait((*n >= 1e12 ? *n : *n * 1e3) - msBetween(WallTime{}, now));
    }
    if (const auto moment = parseTime(text)) return wait(msBetween(now, *moment));
    const auto duration = parseDuration(text);
    return duration && *duration <= kLongestWait ? duration : std::nullopt;
}

enum class Part { Limit, Remaining, Reset, Period };

// What "x-ratelimit-remaining-tokens-minute" is about.
struct Subject {
    Part part = Part::Limit;
    Unit unit = Unit::Requests;
    std::optional<milliseconds> per;
    bool names_unit = false;
    std::string group;  // the name without the part
};

std::optional<Subject> subjectOf(std::string_view header) {
    static constexpr Word<Part> kParts[] = {{"limit", Part::Limit},
                                            {"remaining", Part::Remaining},
                                            {"reset", Part::Reset},
                                            {"renewalperiod", Part::Period}};
    static constexpr Word<Unit> kFamilies[] = {{"ratelimit", Unit::Requests},
                                               {"ratelimitbysize", Unit::Tokens}};
    static constexpr Word<Unit> kUnits[] = {
        {"requests", Unit::Requests}, {"req", Unit::Requests}, {"tokens", Unit::Tokens}};
    static constexpr Word<milliseconds> kPeriods[] = {
        {"second", 1s}, {"minute", 1min}, {"hour", 1h}, {"day", 24h}, {"month", 24h * 30}};

    if (header.find("ratelimit") == std::string_view::npos) return std::nullopt;
    Subject subject;
    std::string_view rest = header;
    if (rest.starts_with("x-")) {
        rest.remove_prefix(2);
    } else if (rest.starts_with("anthropic-")) {
        rest.remove_prefix(10);
        subject.per = 1min;  // as documented
    }
    subject.group = header.substr(0, header.size() - rest.size());

    const auto words = split(rest, '-');
    const auto family = lookUp(kFamilies, words.front());
    if (!family) return std::nullopt;
    subject.unit = *family;

    std::optional<Part> part;
    int64_t periods = 1;  // "5-minute"
    for (const std::string_view word : words) {
        if (const auto p = lookUp(kParts, word)) {
            if (part) return std::nullopt;
            part = p;
            continue;
        }
        if (const auto unit = lookUp(kUnits, word)) {
            subject.unit = *unit;
            subject.names_unit = true;
        } else if (const auto period = lookUp(kPeriods, word)) {
            subject.per = *period * periods;
        } else if (const auto n = units(word, 1); n && *n <= 60) {
            periods = *n;
        } else if (word != words.front() && word != "input" && word != "output") {
            return std::nullopt;
        }
        subject.group.append(word).push_back('-');
    }
    if (!part || subject.per > kLongestWait) return std::nullopt;
    subject.part = *part;
    return subject;
}

// An item of `ratelimit` or `ratelimit-policy`: "name";r=50;t=30 or 100;w=60.
struct Item {
    std::string_view name;
    std::optional<int64_t> quota, remaining;
    std::optional<milliseconds> window, reset_in;
};

Item itemOf(std::string_view text) {
    Item item;
    for (const std::string_view part : split(text, ';')) {
        const auto value = part.substr(std::min(part.find('=') + 1, part.size()));
        if (item.name.empty()) {
            item.name = part;
            item.quota = units(part, 1);
        } else if (part.starts_with("q=")) {
            item.quota = units(value, 1);
        } else if (part.starts_with("r=")) {
            item.remaining = units(value, 0);
        } else if (part.starts_with("w=")) {
            if (const auto seconds = number(value); seconds && *seconds >= 1)
                item.window = wait(*seconds * 1e3);
        } else if (part.starts_with("t=")) {
            if (const auto seconds = number(value)) item.reset_in = wait(*seconds * 1e3);
        }
    }
    return item;
}

// A bucket that fills steadily gives its window away: by how long it takes to fill up what is missing. The
// names of OpenAI and Groq say no window, and requests are counted by the minute here and by the day there.
std::optional<milliseconds> windowOfBucket(const Allowance& a) {
    if (!a.limit || !a.remaining || !a.reset_in || *a.remaining >= *a.limit) return std::nullopt;
    const auto limit = static_cast<double>(*a.limit), missing = static_cast<double>(*a.limit - *a.remaining);
    const double ms = static_cast<double>(a.reset_in->count()) * limit / missing;
    for (const milliseconds window : {milliseconds{1min}, milliseconds{24h}})
        if (std::abs(ms / static_cast<double>(window.count()) - 1) < 0.05) return window;
    return std::nullopt;
}

// Gathers what the headers of one answer say.
class Reader {
public:
    explicit Reader(WallTime now) : now_(now) {}

    void read(std::string_view name, std::string_view value) {
        if (value.size() > kLongestValue) return;
        if (name == "ratelimit") return addItems(value, said_);
        if (name == "ratelimit-policy") return addItems(value, policies_);
        const auto subject = subjectOf(name);
        if (!subject) return;
        // An early draft has the policies behind the limit: "100, 100;w=60".
        if (name == "ratelimit-limit") addItems(value, policies_);
        if (Told* told = toldOf(*subject))
            set(*told, subject->part, trim(value.substr(0, value.find_first_of(",;"))), trim(value));
    }

    std::vector<Allowance> allowances() const {
        std::vector<Allowance> all;
        for (const auto& [subject, allowance, plain_reset] : told_) {
            Allowance a = allowance;
            if (plain_reset && isMilliseconds(*plain_reset, a.per)) a.reset_in = wait(*plain_reset);
            if (!a.per && subject.names_unit) a.per = windowOfBucket(a);
            if (!a.per && subject.group == "ratelimit-") a.per = windowOfQuota(a.limit);
            add(a, all);
        }
        for (const Item& item : said_) add(allowanceOf(item), all);
        return all;
    }

private:
    struct Told {
        Subject subject;
        Allowance allowance;
        std::optional<double> plain_reset;  // a number without a unit, and too small for a date
    };

    // A reset clearly longer than its period cannot be seconds: Azure's are milliseconds.
    static bool isMilliseconds(double reset, std::optional<milliseconds> period) {
        return period && reset * 1e3 > static_cast<double>(period->count()) * 1.1;
    }

    static void addItems(std::string_view value, std::vector<Item>& to) {
        for (const std::string_view text : split(value, ','))
            if (to.size() < kMostAllowances) to.push_back(itemOf(text));
    }

    Told* toldOf(const Subject& subject) {
        for (Told& t : told_)
            if (t.subject.group == subject.group) return &t;
        if (told_.size() == kMostAllowances) return nullptr;
        told_.push_back({subject, {subject.unit, subject.per, {}, {}, {}}, {}});
        return &told_.back();
    }

    void set(Told& told, Part part, std::string_view count, std::string_view whole) const {
        Allowance& a = told.allowance;
        const auto plain = number(whole);
        // Of a header that comes twice the first counts.
        if (part == Part::Limit && !a.limit) a.limit = units(count, 1);
        if (part == Part::Remaining && !a.remaining) a.remaining = units(count, 0);
        if (part == Part::Reset && !a.reset_in) {
            a.reset_in = waitUntil(whole, now_);
            if (plain && *plain < 1e9) told.plain_reset = plain;
        }
        if (part == Part::Period && !a.per && plain && *plain >= 1) a.per = wait(*plain * 1e3);
    }

    Allowance allowanceOf(const Item& item) const {
        Allowance a;
        if (item.name.find("token") != std::string_view::npos) a.unit = Unit::Tokens;
        a.remaining = item.remaining;
        a.reset_in = item.reset_in;
        for (const Item& policy : policies_) {
            if (policy.name != item.name) continue;
            a.limit = policy.quota;
            a.per = policy.window;
        }
        return a;
    }

    std::optional<milliseconds> windowOfQuota(std::optional<int64_t> limit) const {
        for (const Item& policy : policies_)
            if (limit && policy.quota == limit && policy.window) return policy.window;
        return std::nullopt;
    }

    // Input, output and all tokens of one window are limits on the same unit: the tightest is the limit.
    static void add(const Allowance& a, std::vector<Allowance>& all) {
        static constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
        const auto room = [](const Allowance& x) {
            return std::tuple(x.remaining.value_or(kAny), x.limit.value_or(kAny));
        };
        if (!a.limit && !a.remaining) return;
        const auto rival = std::find_if(all.begin(), all.end(), [&](const Allowance& other) {
            return a.unit == Unit::Tokens && other.unit == a.unit && other.per == a.per;
        });
        if (rival == all.end())
            all.push_back(a);
        else if (room(a) < room(*rival))
            *rival = a;
    }

    WallTime now_;
    std::vector<Told> told_;
    std::vector<Item> said_, policies_;
};

}  // namespace

std::vector<Allowance> allowancesIn(const std::vector<std::pair<std::string, std::string>>& headers,
                                    WallTime now) {
    for (const auto& [name, value] : headers)
        if (name == "date") now = parseTime(trim(value)).value_or(now);
    Reader reader(now);
    for (const auto& [name, value] : headers) reader.read(name, value);
    return reader.allowances();
}

}  // namespace stepper::limits
