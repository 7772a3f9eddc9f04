#include "core/cache/sieve.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <random>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

namespace stepper::cache {
namespace {

std::string keysOf(Sieve<int>& sieve, std::string_view candidates) {
    // A look would mark; taking out and putting back would reorder. So this is the end of the sieve.
    std::string out;
    for (const char c : candidates)
        if (sieve.erase(std::string_view(&c, 1))) out += c;
    return out;
}

void putAll(Sieve<int>& sieve, std::string_view keys) {
    for (const char c : keys) sieve.put(std::string(1, c), c, 1);
}

TEST(Sieve, KeepsAndReplaces) {
    Sieve<int> sieve(10);
    sieve.put("a", 1, 3);
    sieve.put("b", 2, 4);
    EXPECT_EQ(*sieve.get("a"), 1);
    EXPECT_EQ(sieve.get("c"), nullptr);
    sieve.put("a", 3, 6);
    EXPECT_EQ(*sieve.get("a"), 3);
    EXPECT_EQ(sieve.size(), 2u);
    EXPECT_EQ(sieve.bytes(), 10u);
    EXPECT_TRUE(sieve.erase("a"));
    EXPECT_FALSE(sieve.erase("a"));
    EXPECT_EQ(sieve.bytes(), 4u);
}

TEST(Sieve, WithoutHitsTheOldestGoesFirst) {
    Sieve<int> sieve(3);
    putAll(sieve, "abcde");
    EXPECT_EQ(keysOf(sieve, "abcde"), "cde");
}

TEST(Sieve, TheHandPassesWhatWasHitAndStaysWhereItIs) {
    Sieve<int> sieve(5);
    putAll(sieve, "abcde");
    for (const char* hit : {"a", "b", "d"}) sieve.get(hit);
    putAll(sieve, "f");  // passes a and b, takes c, waits at d
    EXPECT_EQ(sieve.get("c"), nullptr);
    putAll(sieve, "g");  // passes d, takes e; a and b are unmarked but behind the hand
    EXPECT_EQ(sieve.get("e"), nullptr);
    putAll(sieve, "h");  // takes f
    EXPECT_EQ(keysOf(sieve, "abcdefgh"), "abdgh");
}

TEST(Sieve, TheHandStartsOverAtTheOldest) {
    Sieve<int> sieve(3);
    putAll(sieve, "abc");
    for (const char* hit : {"a", "b", "c"}) sieve.get(hit);
    putAll(sieve, "d");  // a full turn: all marks go, then a
    EXPECT_EQ(sieve.get("a"), nullptr);
    EXPECT_EQ(keysOf(sieve, "abcd"), "bcd");
}

TEST(Sieve, ErasingUnderTheHandMovesIt) {
    Sieve<int> sieve(4);
    putAll(sieve, "abcd");
    sieve.get("a");
    putAll(sieve, "e");  // passes a, takes b, waits at c
    EXPECT_TRUE(sieve.erase("c"));
    putAll(sieve, "fg");  // takes d, not the older a
    EXPECT_EQ(keysOf(sieve, "abcdefg"), "aefg");
}

TEST(Sieve, AReplacedEntryCountsAsWanted) {
    Sieve<int> sieve(3);
    putAll(sieve, "aba");
    putAll(sieve, "cdef");
    EXPECT_NE(sieve.get("a"), nullptr);
}

TEST(Sieve, WhatDoesNotFitIsNotKept) {
    Sieve<int> sieve(10);
    sieve.put("a", 1, 4);
    sieve.put("b", 2, 11);
    EXPECT_EQ(sieve.get("b"), nullptr);
    EXPECT_NE(sieve.get("a"), nullptr);
    // The old value would be wrong.
    sieve.put("a", 2, 11);
    EXPECT_EQ(sieve.get("a"), nullptr);
    EXPECT_EQ(sieve.bytes(), 0u);
    sieve.put("c", 3, 10);
    EXPECT_NE(sieve.get("c"), nullptr);
}

TEST(Sieve, StaysWithinItsCapacity) {
    std::mt19937 random(7);
    Sieve<int> sieve(1'000);
    for (int i = 0; i < 50'000; ++i) {
        const std::string key = std::to_string(random() % 300);
        switch (random() % 4) {
            case 0: sieve.erase(key); break;
            case 1: sieve.put(key, i, random() % 120); break;
            default: sieve.get(key);
        }
        ASSERT_LE(sieve.bytes(), 1'000u);
    }
}

// First in, first out, for comparison.
class Fifo {
public:
    explicit Fifo(size_t capacity) : capacity_(capacity) {}
    bool hit(const std::string& key) {
        if (!known_.insert(key).second) return true;
        order_.push_back(key);
        if (order_.size() > capacity_) {
            known_.erase(order_.front());
            order_.pop_front();
        }
        return false;
    }

private:
    const size_t capacity_;
    std::deque<std::string> order_;
    std::unordered_set<std::string> known_;
};

// Key numbers of which the n-th is asked for in proportion to 1/n.
std::vector<std::string> zipfStream(size_t keys, size_t length) {
    std::vector<double> cumulative;
    double sum = 0;
    for (size_t n = 1; n <= keys; ++n) cumulative.push_back(sum += 1 / static_cast<double>(n));
    std::mt19937_64 random(2024);
    std::vector<std::string> out;
    for (size_t i = 0; i < length; ++i) {
        const double at = static_cast<double>(random() >> 11) * 0x1p-53 * sum;
        const auto found = std::upper_bound(cumulative.begin(), cumulative.end(), at);
        out.push_back(std::to_string(found - cumulative.begin()));
    }
    return out;
}

TEST(Sieve, HitsMoreOftenThanFifoOnAZipfStream) {
    constexpr size_t kCapacity = 1'000, kRequests = 200'000;
    Sieve<int> sieve(kCapacity);
    Fifo fifo(kCapacity);
    size_t sieve_hits = 0, fifo_hits = 0;
    for (const std::string& key : zipfStream(10'000, kRequests)) {
        fifo_hits += fifo.hit(key);
        if (sieve.get(key))
            ++sieve_hits;
        else
            sieve.put(key, 0, 1);
    }
    const double sieve_ratio = static_cast<double>(sieve_hits) / kRequests;
    const double fifo_ratio = static_cast<double>(fifo_hits) / kRequests;
    RecordProperty("ratios", std::to_string(sieve_ratio) + " " + std::to_string(fifo_ratio));
    EXPECT_GT(sieve_ratio, fifo_ratio + 0.05) << sieve_ratio << " " << fifo_ratio;
}

}  // namespace
}  // namespace stepper::cache
