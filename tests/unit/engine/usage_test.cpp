#include <thread>

#include <gtest/gtest.h>

#include "core/engine/usage_keeper.h"
#include "core/prompt/generic_prompt.h"
#include "core/report/commit_report.h"
#include "tests/unit/engine/notes_store.h"
#include "tests/unit/scarce_memory.h"

namespace stepper::engine {
namespace {

using namespace std::chrono_literals;

using Lines = std::vector<std::string>;

config::Provider providerOf(std::string name, std::optional<config::Price> price = {}) {
    config::Provider out;
    out.name = std::move(name);
    out.price = price;
    return out;
}

plugin::Tokens tokens(int64_t in, int64_t out) {
    plugin::Tokens usage;
    usage.prompt = in;
    usage.completion = out;
    return usage;
}

// "day tenant provider requests/failed in+out[ cost]"
void addLines(Day day, const DayUsage& tenants, Lines& out) {
    for (const auto& [tenant, usage] : tenants)
        for (const auto& [provider, c] : usage) {
            std::string line = isoDay(day) + ' ' + tenant + ' ' + provider + ' ' +
                               std::to_string(c.requests) + '/' + std::to_string(c.failed) + ' ' +
                               std::to_string(c.tokens_in) + '+' + std::to_string(c.tokens_out);
            if (c.cost) line += ' ' + std::to_string(*c.cost);
            out.push_back(std::move(line));
        }
}

// The manual clock starts with 2026.
class UsageTest : public testing::Test {
protected:
    void use(std::string_view tenant, const config::Provider& provider, bool answered = true,
             const plugin::Tokens& used = tokens(10, 5)) {
        usage_->record(tenant, provider, answered, used);
    }
    bool keep() { return keeper_->keep().ok(); }
    Lines report(int days = 1, std::optional<std::string_view> tenant = {}) {
        Lines out;
        for (int i = 0; i < days; ++i) {
            const Day day = keeper_->today() - std::chrono::days(i);
            auto page = keeper_->page(day, tenant.value_or(""), tenant ? 1 : SIZE_MAX);
            if (!page.ok()) return {"error"};
            if (tenant) std::erase_if(*page, [&](const auto& entry) { return entry.first != *tenant; });
            addLines(day, *page, out);
        }
        return out;
    }
    // What report() tells of today, a page of so many tenants at a time.
    Lines reportOfPages(size_t most) {
        Lines out;
        for (std::string first;;) {
            const auto page = keeper_->page(keeper_->today(), first, most);
            if (!page.ok()) return {"error"};
            EXPECT_LE(page->size(), most);
            addLines(keeper_->today(), *page, out);
            if (page->size() < most) return out;
            first = std::prev(page->end())->first + '\0';
        }
    }
    void restart() {
        keeper_.reset();
        usage_.emplace(clock_);
        keeper_.emplace(*usage_, store_);
    }

    ManualClock clock_;
    NotesStore store_;
    std::optional<Usage> usage_{clock_};
    std::optional<UsageKeeper> keeper_{std::in_place, *usage_, store_};
    const config::Provider groq_ = providerOf("groq", config::Price{2.0, 10.0});
    const config::Provider local_ = providerOf("local");
};

TEST_F(UsageTest, CountsByTenantAndProvider) {
    use("a", groq_, true, tokens(1000, 100));
    use("a", groq_, false, {});
    use("a", local_, true, tokens(7, 3));
    use("", local_, false, {});
    EXPECT_EQ(report(), (Lines{"2026-01-01  local 1/1 0+0", "2026-01-01 a groq 2/1 1000+100 0.003000",
                               "2026-01-01 a local 1/0 7+3"}));
    EXPECT_EQ(report(1, "a").size(), 2u);
    EXPECT_EQ(report(1, ""), (Lines{"2026-01-01  local 1/1 0+0"}));
    EXPECT_EQ(report(1, "b"), Lines{});
}

TEST_F(UsageTest, NonsenseFromAProviderDoesNoHarm) {
    use("a", local_, true, tokens(-5, std::numeric_limits<int64_t>::max()));
    use("a", local_, true, tokens(1, std::numeric_limits<int64_t>::max()));
    EXPECT_EQ(report(), (Lines{"2026-01-01 a local 2/0 1+2000000000"}));
}

TEST_F(UsageTest, DaysEndAtMidnightUtc) {
    clock_.advance(24h - 1ms);
    use("a", local_);
    clock_.advance(1ms);
    use("a", local_);
    use("a", local_);
    EXPECT_EQ(report(2), (Lines{"2026-01-02 a local 2/0 20+10", "2026-01-01 a local 1/0 10+5"}));
    EXPECT_EQ(report(1).size(), 1u);
}

TEST_F(UsageTest, TooManyTenantsShareOneName) {
    for (size_t i = 0; i < Usage::kMostTenants + 3; ++i) use("t" + std::to_string(i), local_);
    EXPECT_EQ(report(1, Usage::kOthers), (Lines{"2026-01-01 (other) local 3/0 30+15"}));
    use("t0", local_);
    EXPECT_EQ(report(1, "t0"), (Lines{"2026-01-01 t0 local 2/0 20+10"}));
    EXPECT_EQ(report().size(), Usage::kMostTenants + 1);
    ASSERT_TRUE(keep());
    for (const size_t portion : store_.written) EXPECT_LE(portion, 500u);
    EXPECT_EQ(store_.texts.size(), Usage::kMostTenants + 1);
}

TEST_F(UsageTest, SurvivesARestart) {
    use("a/b", groq_, true, tokens(1000, 100));
    use("", local_, false, {});
    ASSERT_TRUE(keep());
    const auto before = report();
    restart();
    EXPECT_EQ(report(), before);
    use("a/b", groq_, true, tokens(1000, 100));
    // What was written counts, before and after the ledger has taken it over.
    const Lines after = {"2026-01-01  local 1/1 0+0", "2026-01-01 a/b groq 2/0 2000+200 0.006000"};
    EXPECT_EQ(report(), after);
    ASSERT_TRUE(keep());
    EXPECT_EQ(report(), after);
    restart();
    EXPECT_EQ(report(), after);
    EXPECT_EQ(report(1, "a"), Lines{});
}

TEST_F(UsageTest, WritesOnlyWhatChanged) {
    use("a", local_);
    use("b", local_);
    ASSERT_TRUE(keep());
    EXPECT_EQ(store_.written, (std::vector<size_t>{2}));
    ASSERT_TRUE(keep());
    EXPECT_EQ(store_.written.size(), 1u);
    use("b", local_);
    ASSERT_TRUE(keep());
    EXPECT_EQ(store_.written, (std::vector<size_t>{2, 1}));
}

TEST_F(UsageTest, AStoreThatFailsLosesNothing) {
    use("a", local_);
    ASSERT_TRUE(keep());
    restart();
    use("a", local_);
    store_.reads_fail = true;
    EXPECT_FALSE(keep());
    store_.reads_fail = false;
    store_.writes_fail = true;
    EXPECT_FALSE(keep());
    use("b", local_);
    EXPECT_FALSE(keep());
    clock_.advance(24h);
    EXPECT_FALSE(keep());
    store_.writes_fail = false;
    EXPECT_TRUE(keep());
    restart();
    EXPECT_EQ(report(2), (Lines{"2026-01-01 a local 2/0 20+10", "2026-01-01 b local 1/0 10+5"}));
}

TEST_F(UsageTest, WhereverMemoryEndsNothingIsForgotten) {
    const std::string tenants[] = {"a tenant whose name takes memory", "b", "c"};
    for (const auto& tenant : tenants) use(tenant, groq_);
    ASSERT_TRUE(keep());
    bool was_refused = true;
    for (int n = 1; was_refused; ++n) {
        const auto before = report();
        restart();
        for (const auto& tenant : tenants) use(tenant, local_);
        const auto expected = report();
        ASSERT_NE(expected, before);
        test::refuseAllocation(n);
        try {
            (void)keeper_->keep();
        } catch (const std::bad_alloc&) {
        }
        was_refused = test::wasRefused();
        test::refuseAllocation(0);
        ASSERT_EQ(report(), expected) << "without allocation " << n;
        ASSERT_TRUE(keep());
        restart();
        ASSERT_EQ(report(), expected) << "without allocation " << n;
    }
}

TEST_F(UsageTest, AReportOfAStoreThatFailsIsAnError) {
    use("a", local_);
    store_.reads_fail = true;
    EXPECT_EQ(report(), Lines{"error"});
}

TEST_F(UsageTest, ADayIsNeitherTakenNorForgottenTooSoon) {
    use("a", local_);
    const Day day = usage_->today();
    clock_.advance(24h);
    EXPECT_TRUE(usage_->takeChanges(10).empty());
    usage_->forgetWritten();
    usage_->complete(day, {});
    usage_->forgetWritten();
    const auto changes = usage_->takeChanges(10);
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes[0].usage[0].counts.requests, 1);
    usage_->putBack(changes);
    usage_->forgetWritten();
    EXPECT_EQ(usage_->takeChanges(10).size(), 1u);
    usage_->forgetWritten();
    EXPECT_FALSE(usage_->of(day, "", 1).whole);
}

TEST_F(UsageTest, DaysThatAreWrittenLeaveMemoryAndAreStillReported) {
    use("a", local_);
    ASSERT_TRUE(keep());
    const Day first = usage_->today();
    EXPECT_TRUE(usage_->of(first, "", 1).whole);
    clock_.advance(24h);
    ASSERT_TRUE(keep());
    EXPECT_FALSE(usage_->of(first, "", 1).whole);
    EXPECT_TRUE(usage_->of(first, "", 1).tenants.empty());
    EXPECT_EQ(report(2), (Lines{"2026-01-01 a local 1/0 10+5"}));
}

TEST_F(UsageTest, ADayThatComesBackIsAddedTo) {
    ManualClock earlier;
    clock_.advance(24h);
    use("a", local_);
    ASSERT_TRUE(keep());
    // As when the system's clock is put back: the process counts in a day it let go of.
    Usage again(earlier);
    UsageKeeper keeper(again, store_);
    again.record("a", local_, true, tokens(1, 1));
    ASSERT_TRUE(keeper.keep().ok());
    earlier.advance(24h);
    again.record("a", local_, true, tokens(1, 1));
    ASSERT_TRUE(keeper.keep().ok());
    restart();
    EXPECT_EQ(report(2), (Lines{"2026-01-02 a local 2/0 11+6", "2026-01-01 a local 1/0 1+1"}));
}

TEST_F(UsageTest, IsKeptForThirtyOneDays) {
    use("a", local_);
    ASSERT_TRUE(keep());
    store_.texts["usagf/2020"] = store_.texts["quota/groq"] = "another's";
    clock_.advance(24h * 30);
    ASSERT_TRUE(keep());
    EXPECT_EQ(report(31), (Lines{"2026-01-01 a local 1/0 10+5"}));
    clock_.advance(24h);
    use("a", local_);
    ASSERT_TRUE(keep());
    EXPECT_EQ(report(31), (Lines{"2026-02-01 a local 1/0 10+5"}));
    EXPECT_EQ(store_.texts.size(), 3u);
}

TEST_F(UsageTest, WhatCannotBeReadIsLeftOut) {
    store_.texts["usage/2026-01-01/a"] = "{";
    store_.texts["usage/2026-01-01/b"] = R"({"x":[1,2],"local":[1,0,10,5,null],"y":[1,0,10,"5",null]})";
    EXPECT_EQ(report(), (Lines{"2026-01-01 b local 1/0 10+5"}));
}

TEST_F(UsageTest, PagesHoldTogetherWhatOneReportDoes) {
    for (const auto* tenant : {"", "a", "a\x01", "b/c", "d", "é"}) use(tenant, local_);
    ASSERT_TRUE(keep());
    restart();
    // Some are written, some are in memory, some are both.
    for (const auto* tenant : {"", "a/", "b/c", "e"}) use(tenant, groq_);
    const Lines all = report();
    EXPECT_EQ(all.size(), 10u);
    for (const size_t most : {1, 2, 3, 7, 8, 100}) {
        store_.most_read = 0;
        EXPECT_EQ(reportOfPages(most), all) << most;
        EXPECT_LE(store_.most_read, most);
    }
    ASSERT_TRUE(keep());
    for (const size_t most : {1, 3, 8}) EXPECT_EQ(reportOfPages(most), all) << most;
}

TEST_F(UsageTest, OldDaysLeaveInPortions) {
    for (int i = 0; i < 1'200; ++i) store_.texts["usage/2025-11-30/t" + std::to_string(i)] = "{}";
    store_.texts["usage/2025-12-02/t"] = "{}";
    ASSERT_TRUE(keep());
    EXPECT_EQ(store_.texts.size(), 1u);
    EXPECT_LE(store_.most_read, 500u);
    for (const size_t portion : store_.written) EXPECT_LE(portion, 500u);
}

TEST_F(UsageTest, TheThreadWritesTheRestWhenItIsClosed) {
    keeper_->start();
    use("a", local_);
    keeper_->close();
    restart();
    EXPECT_EQ(report(), (Lines{"2026-01-01 a local 1/0 10+5"}));
}

TEST_F(UsageTest, ManyThreadsLoseNothing) {
    constexpr int kThreads = 4, kEach = 2000;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([this] {
            for (int i = 0; i < kEach; ++i) use(std::to_string(i % 7), i % 2 ? groq_ : local_);
        });
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(keep());
    for (auto& thread : threads) thread.join();
    ASSERT_TRUE(keep());
    restart();
    const auto all = keeper_->page(keeper_->today(), "", SIZE_MAX);
    ASSERT_TRUE(all.ok());
    int64_t requests = 0;
    for (const auto& [tenant, usage] : *all)
        for (const auto& provider : usage) requests += provider.counts.requests;
    EXPECT_EQ(requests, kThreads * kEach);
}

TEST(TenantOf, ReportsCountForTheirUser) {
    GenerateRequest request;
    request.question = std::make_shared<prompt::GenericPrompt>(nullptr);
    EXPECT_EQ(tenantOf(request), "");
    request.tenant_id = "t";
    EXPECT_EQ(tenantOf(request), "t");
    report::Commit commit;
    commit.user_id = "u";
    request.question = std::make_shared<report::CommitReport>(commit);
    EXPECT_EQ(tenantOf(request), "t");
    request.tenant_id.clear();
    EXPECT_EQ(tenantOf(request), "u");
}

}  // namespace
}  // namespace stepper::engine
