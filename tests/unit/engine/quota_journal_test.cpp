#include "core/engine/quota_journal.h"

#include <gtest/gtest.h>

#include "tests/unit/engine/notes_store.h"

namespace stepper::engine {
namespace {

using namespace std::chrono_literals;

class QuotaJournalTest : public testing::Test {
protected:
    static limits::GateOptions perMinute(std::optional<int64_t> requests) {
        limits::GateOptions out;
        out.concurrency = 1'000;
        out.limits.rpm = requests;
        return out;
    }
    // A request that was sent and answered, noted before.
    void send(QuotaJournal& journal, limits::Gate& gate) {
        auto pass = *gate.tryEnter({}).pass;
        journal.cover("one", gate, pass);
        gate.sent(pass);
        gate.leave(pass, {limits::Report::Kind::Ok, {}, {}, {}});
    }
    static int64_t used(limits::Gate& gate) { return gate.state().quotas.at(0).used; }
    // As the next process finds it.
    int64_t usedAfterRestart(std::optional<int64_t> requests) {
        const QuotaJournal journal(store_, clock_);
        limits::Gate gate(clock_, perMinute(requests), [] { return 0.5; });
        journal.restore("one", gate);
        return used(gate);
    }

    ManualClock clock_;
    NotesStore store_;
};

TEST_F(QuotaJournalTest, EverySendOfASmallQuotaIsNotedBeforeItLeaves) {
    QuotaJournal journal(store_, clock_);
    limits::Gate gate(clock_, perMinute(10), [] { return 0.5; });
    for (int i = 1; i <= 3; ++i) {
        auto pass = *gate.tryEnter({}).pass;
        journal.cover("one", gate, pass);
        EXPECT_EQ(usedAfterRestart(10), i);
    }
    EXPECT_EQ(store_.written.size(), 3u);
}

TEST_F(QuotaJournalTest, ALargeQuotaIsNotedAheadAndNeverTooLittle) {
    QuotaJournal journal(store_, clock_);
    limits::Gate gate(clock_, perMinute(1'000), [] { return 0.5; });
    for (int i = 1; i <= 100; ++i) {
        send(journal, gate);
        EXPECT_GE(usedAfterRestart(1'000), i);
        EXPECT_LE(usedAfterRestart(1'000), i + 20);
    }
    EXPECT_LE(store_.written.size(), 6u);
    journal.close("one", gate);
    EXPECT_EQ(usedAfterRestart(1'000), 100);
}

TEST_F(QuotaJournalTest, WithoutLimitsNothingIsWritten) {
    QuotaJournal journal(store_, clock_);
    limits::Gate gate(clock_, perMinute({}), [] { return 0.5; });
    send(journal, gate);
    EXPECT_TRUE(store_.written.empty());
}

TEST_F(QuotaJournalTest, AStoreThatFailsHoldsNobodyUpAndIsAskedAgainLater) {
    QuotaJournal journal(store_, clock_);
    limits::Gate gate(clock_, perMinute(10), [] { return 0.5; });
    store_.writes_fail = true;
    send(journal, gate);
    store_.writes_fail = false;
    send(journal, gate);
    EXPECT_TRUE(store_.written.empty()) << "it is left alone for a while";
    clock_.advance(5s);
    send(journal, gate);
    EXPECT_EQ(usedAfterRestart(10), 3);
}

TEST_F(QuotaJournalTest, WhatCannotBeReadCountsFromNothing) {
    store_.texts["quota/one"] = "{broken";
    EXPECT_EQ(usedAfterRestart(10), 0);
    store_.reads_fail = true;
    EXPECT_EQ(usedAfterRestart(10), 0);
}

}  // namespace
}  // namespace stepper::engine
