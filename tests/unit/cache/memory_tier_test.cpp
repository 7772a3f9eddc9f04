#include "core/cache/memory_tier.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace stepper::cache {
namespace {

using Tier = MemoryTier<std::string>;

void put(Tier& tier, const std::string& key, const std::string& value, uint64_t bytes = 1'000) {
    tier.put(key, std::make_shared<const std::string>(value), bytes, tier.version(key));
}

TEST(MemoryTier, KeepsReplacesErases) {
    Tier tier(1 << 20, 1 << 16);
    EXPECT_EQ(tier.get("k"), nullptr);
    put(tier, "k", "a");
    put(tier, "k", "b");
    EXPECT_EQ(*tier.get("k"), "b");
    EXPECT_EQ(tier.fill().entries, 1u);
    const auto held = tier.get("k");
    tier.erase("k");
    EXPECT_EQ(tier.get("k"), nullptr);
    EXPECT_EQ(*held, "b");
    EXPECT_EQ(tier.fill().bytes, 0u);
}

TEST(MemoryTier, AValueReadBeforeAnEraseIsNotKept) {
    Tier tier(1 << 20, 1 << 16);
    const uint64_t version = tier.version("k");
    tier.erase("k");
    tier.put("k", std::make_shared<const std::string>("old"), 10, version);
    EXPECT_EQ(tier.get("k"), nullptr);
}

TEST(MemoryTier, LargeEntriesAreNotKept) {
    Tier tier(1 << 20, 2'000);
    put(tier, "k", "a", 2'000);
    EXPECT_NE(tier.get("k"), nullptr);
    put(tier, "k", "b", 2'001);
    EXPECT_EQ(tier.get("k"), nullptr);

    Tier small(16 * 1'000, 1 << 20);
    put(small, "k", "a", 1'000);
    EXPECT_EQ(small.get("k"), nullptr);

    Tier none(0, 1 << 20);
    put(none, "k", "a", 0);
    EXPECT_EQ(none.get("k"), nullptr);
}

TEST(MemoryTier, AHotKeySurvivesAScanWithinTheByteBound) {
    constexpr uint64_t kCapacity = 200'000;
    Tier tier(kCapacity, 10'000);
    put(tier, "hot", "x");
    for (int i = 0; i < 20'000; ++i) {
        put(tier, "scan" + std::to_string(i), "y", 100 + static_cast<uint64_t>(i) % 900);
        if (i % 50 != 0) continue;  // now and then is enough: a shard holds about a dozen of them
        ASSERT_NE(tier.get("hot"), nullptr) << i;
        ASSERT_LE(tier.fill().bytes, kCapacity);
    }
    EXPECT_EQ(tier.get("scan0"), nullptr);
    EXPECT_GT(tier.fill().bytes, kCapacity / 2);
}

TEST(MemoryTier, ManyThreads) {
    constexpr uint64_t kCapacity = 100'000;
    Tier tier(kCapacity, 5'000);
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 5'000; ++i) {
                const std::string key = std::to_string((i * 7 + t * 13) % 200);
                if (const auto value = tier.get(key); value && *value != key) ++wrong;
                if (i % 3 == 0) put(tier, key, key);
                if (i % 11 == 0) tier.erase(key);
                if (i % 500 == 0 && tier.fill().bytes > kCapacity) ++wrong;
            }
        });
    for (auto& t : threads) t.join();
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace stepper::cache
