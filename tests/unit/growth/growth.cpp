#include "tests/unit/growth/growth.h"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <limits>
#include <set>

#include "core/base/json.h"

namespace stepper::growth {
namespace {

constexpr size_t kDoublings = 2;
constexpr double kMostPerDoubling = 3;
constexpr double kNoise = 0.0005;  // seconds
constexpr int kTakes = 5;

double cpuSeconds(const Work& work) {
    const auto now = [] {
        timespec t{};
        ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
    };
    const double begun = now();
    work();
    return now() - begun;
}

// libstdc++'s std::hash of texts is MurmurHash64A with a known seed: a block of 8 bytes that leads from one
// state to another can be computed.
constexpr uint64_t kFactor = 0xc6a4a7935bd1e995, kSeed = 0xc70f6907;

constexpr uint64_t inverse(uint64_t odd) {
    uint64_t out = odd;
    for (int i = 0; i < 6; ++i) out *= 2 - odd * out;
    return out;
}
uint64_t shifted(uint64_t v) { return v ^ (v >> 47); }
uint64_t mixed(uint64_t block) { return shifted(block * kFactor) * kFactor; }
uint64_t unmixed(uint64_t v) { return shifted(v * inverse(kFactor)) * inverse(kFactor); }

}  // namespace

testing::AssertionResult growsLinearly(const Row& row) {
    double small = std::numeric_limits<double>::max(), large = small;
    for (int take = 0; take < kTakes; ++take) {
        small = std::min(small, cpuSeconds(row.build(row.size >> kDoublings)));
        large = std::min(large, cpuSeconds(row.build(row.size)));
        if (large <= kMostPerDoubling * kMostPerDoubling * small + kNoise)
            return testing::AssertionSuccess() << small * 1e3 << " ms, then " << large * 1e3 << " ms";
    }
    return testing::AssertionFailure()
           << "a fourfold input takes " << large / small << " times the CPU: " << small * 1e3 << " ms, then "
           << large * 1e3 << " ms";
}

// So many different texts of three blocks of 8 characters: one that counts, one that is computed from it, and
// `last`. Those that were found are remembered: they are rare.
template <class Fits>
std::vector<std::string> colliding(size_t count, char opening, std::string_view last, Fits fits) {
    static std::vector<std::string> known;
    static uint64_t tried = 0;
    constexpr uint64_t kNotAscii = 0x8080808080808080;
    for (const uint64_t begin = kSeed ^ (24 * kFactor); known.size() < count; ++tried) {
        uint64_t first = static_cast<unsigned char>(opening);
        for (int digit = 0; digit < 7; ++digit)
            first |= (0x40 | ((tried >> (4 * digit)) & 15)) << (8 * (digit + 1));
        const uint64_t second = unmixed((begin ^ mixed(first)) * kFactor);
        if (second & kNotAscii) continue;
        std::string key(16, '\0');
        std::memcpy(key.data(), &first, 8);
        std::memcpy(key.data() + 8, &second, 8);
        if (std::all_of(key.begin() + 8, key.end(), fits)) known.push_back(key.append(last));
    }
    return {known.begin(), known.begin() + static_cast<std::ptrdiff_t>(count)};
}

std::vector<std::string> collidingKeys(size_t count) {
    return colliding(count, '@', "xxxxxxxx", [](char) { return true; });
}

std::vector<std::string> collidingStrings(size_t count) {
    auto out = colliding(count, '"', "xxxxxxx\"",
                         [](char c) { return c >= ' ' && c != '"' && c != '\\' && c != 0x7f; });
    for (auto& text : out) text = text.substr(1, text.size() - 2);
    return out;
}

std::string repeated(std::string_view what, size_t times) {
    std::string out;
    out.reserve(what.size() * times);
    for (size_t i = 0; i < times; ++i) out += what;
    return out;
}

std::string joined(size_t count, const std::function<std::string(size_t)>& made) {
    std::string out;
    for (size_t i = 0; i < count; ++i) {
        if (i > 0) out += ',';
        out += made(i);
    }
    return out;
}

std::string asJson(std::string_view text) {
    json::Buffer buffer;
    json::Writer(buffer).String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    return {buffer.GetString(), buffer.GetSize()};
}

TEST_P(Growth, IsLinear) { EXPECT_TRUE(growsLinearly(GetParam())); }

TEST(GrowthOfTheTestItself, AnEverLongerWayIsSeen) {
    const auto quadratic = [](size_t n) -> Work {
        return [n] {
            volatile size_t sum = 0;
            for (size_t i = 0; i < n; ++i)
                for (size_t j = 0; j < n; ++j) sum = sum + j;
        };
    };
    EXPECT_FALSE(growsLinearly({"square", 3'000, quadratic}));
    EXPECT_TRUE(growsLinearly({"line", 3'000'000, [](size_t n) -> Work {
                                   return [n] {
                                       volatile size_t sum = 0;
                                       for (size_t i = 0; i < n; ++i) sum = sum + i;
                                   };
                               }}));
}

TEST(GrowthOfTheTestItself, TheKeysCollide) {
    const auto keys = collidingKeys(50), strings = collidingStrings(50);
    const std::hash<std::string> hash;
    for (const auto& key : keys) EXPECT_EQ(hash(key), hash(keys[0]));
    for (const auto& text : strings) EXPECT_EQ(hash(asJson(text)), hash(asJson(strings[0])));
    EXPECT_EQ(std::set<std::string>(strings.begin(), strings.end()).size(), 50u);
}

}  // namespace stepper::growth
