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
    void send(QuotaJournal& journal, const std::shared_ptr<limits::Gate>& gate) {
        auto pass = *gate->tryEnter({}).pass;
        cover(journal, gate, pass);
        gate->sent(pass);
        gate->leave(pass, {limits::Report::Kind::Ok, {}, {}, {}});
    }
    static void cover(QuotaJournal& journal, const std::shared_ptr<limits::Gate>& gate,
                      const limits::Pass& pass, milliseconds within = 1h) {
        CancelToken cancel;
        journal.cover("one", gate, pass, std::chrono::steady_clock::now() + within, cancel);
    }
    std::shared_ptr<limits::Gate> gateOf(std::optional<int64_t> per_minute) {
        return std::make_shared<limits::Gate>(clock_, perMinute(per_minute), [] { return 0.5; });
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
    const auto gate = gateOf(10);
    for (int i = 1; i <= 3; ++i) {
        auto pass = *gate->tryEnter({}).pass;
        cover(journal, gate, pass);
        EXPECT_EQ(usedAfterRestart(10), i);
    }
    EXPECT_EQ(store_.written.size(), 3u);
}

TEST_F(QuotaJournalTest, ALargeQuotaIsNotedAheadAndNeverTooLittle) {
    QuotaJournal journal(store_, clock_);
    const auto gate = gateOf(1'000);
    for (int i = 1; i <= 100; ++i) {
        send(journal, gate);
        EXPECT_GE(usedAfterRestart(1'000), i);
        EXPECT_LE(usedAfterRestart(1'000), i + 20);
    }
    EXPECT_LE(store_.written.size(), 6u);
    journal.close("one", *gate);
    EXPECT_EQ(usedAfterRestart(1'000), 100);
}

TEST_F(QuotaJournalTest, WithoutLimitsNothingIsWritten) {
    QuotaJournal journal(store_, clock_);
    const auto gate = gateOf({});
    send(journal, gate);
    EXPECT_TRUE(store_.written.empty());
}

TEST_F(QuotaJournalTest, AStoreThatFailsHoldsNobodyUpAndIsAskedAgainLater) {
    QuotaJournal journal(store_, clock_);
    const auto gate = gateOf(10);
    store_.writes_fail = true;
    send(journal, gate);
    store_.writes_fail = false;
    send(journal, gate);
    EXPECT_TRUE(store_.written.empty()) << "it is left alone for a while";
    clock_.advance(5s);
    send(journal, gate);
    EXPECT_EQ(usedAfterRestart(10), 3);
}

// A disk on which writes do not return until they are let.
class SlowStore final : public store::UnavailableStore {
public:
    Result<std::vector<store::Note>> notes(std::string_view, std::string_view, size_t) override {
        return std::vector<store::Note>{};
    }
    Result<void> putNotes(std::span<const store::Note>) override {
        std::unique_lock lock(mutex_);
        begun_ = true;
        changed_.notify_all();
        changed_.wait_for(lock, 20s, [this] { return free_; });
        return {};
    }
    void awaitWrite() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, 20s, [this] { return begun_; });
    }
    void letGo() {
        std::lock_guard lock(mutex_);
        free_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool begun_ = false, free_ = false;
};

class SlowJournal : public QuotaJournalTest {
protected:
    ~SlowJournal() override { slow_.letGo(); }
    milliseconds coverTakes(milliseconds within) {
        const auto began = std::chrono::steady_clock::now();
        cover(journal_, gate_, *gate_->tryEnter({}).pass, within);
        return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
    }
    SlowStore slow_;
    std::shared_ptr<limits::Gate> gate_ = gateOf(10);
    QuotaJournal journal_{slow_, clock_};
};

TEST_F(SlowJournal, NobodyWaitsBeyondItsDeadline) {
    EXPECT_LT(coverTakes(30ms), QuotaJournal::kPatience / 2);
    slow_.awaitWrite();
    EXPECT_LT(coverTakes(30ms), QuotaJournal::kPatience / 2) << "behind a write that hangs";
    slow_.letGo();
    const auto pass = *gate_->tryEnter({}).pass;
    cover(journal_, gate_, pass);
    EXPECT_TRUE(gate_->covers(pass)) << "it is written down as soon as that can be";
}

TEST_F(SlowJournal, OneWaitsAMomentAndTheOthersGoWithout) {
    EXPECT_GE(coverTakes(1h), QuotaJournal::kPatience);
    EXPECT_LT(coverTakes(1h), QuotaJournal::kPatience / 2);
}

TEST_F(SlowJournal, WhoIsCancelledDoesNotWait) {
    CancelSource source(CancelReason::Requested);
    source.cancel();
    CancelToken cancel;
    cancel.watch(source);
    const auto began = std::chrono::steady_clock::now();
    journal_.cover("one", gate_, *gate_->tryEnter({}).pass, began + 1h, cancel);
    EXPECT_LT(std::chrono::steady_clock::now() - began, QuotaJournal::kPatience / 2);
}

TEST_F(SlowJournal, ACancelCutsTheWait) {
    CancelSource source(CancelReason::Requested);
    CancelToken cancel;
    cancel.watch(source);
    const auto began = std::chrono::steady_clock::now();
    std::thread canceller([&] {
        std::this_thread::sleep_until(began + QuotaJournal::kPatience / 20);
        source.cancel();
    });
    journal_.cover("one", gate_, *gate_->tryEnter({}).pass, began + 1h, cancel);
    EXPECT_LT(std::chrono::steady_clock::now() - began, QuotaJournal::kPatience / 2);
    canceller.join();
}

TEST_F(QuotaJournalTest, WhatCannotBeReadCountsFromNothing) {
    store_.texts["quota/one"] = "{broken";
    EXPECT_EQ(usedAfterRestart(10), 0);
    store_.reads_fail = true;
    EXPECT_EQ(usedAfterRestart(10), 0);
}

}  // namespace
}  // namespace stepper::engine
