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

class StandingTest : public QuotaJournalTest {
protected:
    std::shared_ptr<limits::Gate> gateTo(const std::string& target) {
        limits::GateOptions options = perMinute({});
        options.targets = {target};
        return std::make_shared<limits::Gate>(clock_, options, [] { return 0.5; });
    }
    // A call that ends so.
    void report(QuotaJournal& journal, const std::shared_ptr<limits::Gate>& gate,
                const limits::Report& report) {
        auto pass = *gate->tryEnter({}).pass;
        gate->sent(pass);
        gate->leave(pass, report);
        CancelToken cancel;
        journal.keepStanding("one", gate, std::chrono::steady_clock::now() + 1h, cancel);
    }
    std::shared_ptr<limits::Gate> restarted(const std::string& target = "key") {
        const QuotaJournal journal(store_, clock_);
        auto gate = gateTo(target);
        journal.restore("one", *gate);
        return gate;
    }
    void pass(milliseconds time) {
        clock_.advance(time);
        store_.now += time;
    }
};

TEST_F(StandingTest, WhoWaitsForItToBeKeptDoesNotWaitForWhatIsAskedNext) {
    const auto gate = gateTo("key");
    const auto pass = *gate->tryEnter({}).pass, next = *gate->tryEnter({}).pass;
    gate->leave(pass, {limits::Report::Kind::RateLimited, 60s});
    const uint64_t mine = gate->standingToSave();
    const auto written = gate->saveStanding();
    gate->leave(next, {limits::Report::Kind::RateLimited, 90s});
    gate->standingSaved(written.version);
    EXPECT_TRUE(gate->standingIsSaved(mine));
    EXPECT_FALSE(gate->standingIsSaved(gate->standingToSave()));
}

TEST_F(StandingTest, WhatAProviderAskedForIsKeptThroughRestartsUntilItIsOver) {
    using Kind = limits::Report::Kind;
    using limits::Denial;
    struct Asked {
        limits::Report report;
        Denial denial;
        milliseconds pause;
        std::optional<limits::SetAside> set_aside = {};
    };
    for (const Asked& asked :
         {Asked{{Kind::RateLimited, 600s}, Denial::RateLimited, 600s},
          Asked{{Kind::QuotaExhausted, 600s, {}, {}, {}, "no more"}, Denial::RateLimited, 600s},
          Asked{{Kind::Failed, 600s}, Denial::CircuitOpen, 600s},
          Asked{{Kind::KeyRefused}, Denial::Disabled, 300s, limits::SetAside::KeyRefused},
          Asked{{Kind::ModelMissing}, Denial::Disabled, 300s, limits::SetAside::ModelMissing}}) {
        SCOPED_TRACE(std::to_string(static_cast<int>(asked.report.kind)));
        store_.texts.clear();
        {
            QuotaJournal journal(store_, clock_);
            report(journal, gateTo("key"), asked.report);
        }
        pass(100s);
        for (const auto left : {asked.pause - 100s, asked.pause - 200s}) {
            const auto gate = restarted();
            EXPECT_EQ(gate->look({}).denied, asked.denial);
            EXPECT_EQ(gate->look({}).at, clock_.now() + left);
            EXPECT_EQ(gate->state().set_aside, asked.set_aside);
            EXPECT_EQ(gate->state().quota_words, asked.report.words);
            EXPECT_EQ(gate->standingToSave(), 0u);
            QuotaJournal(store_, clock_).close("one", *gate);
            pass(100s);
        }
        EXPECT_TRUE(restarted("another key")->look({}));
        pass(asked.pause - 301s);
        EXPECT_FALSE(restarted()->look({}));
        pass(1s);
        EXPECT_TRUE(restarted()->look({}));
    }
}

TEST_F(StandingTest, RefusalsInARowGoOnThroughARestart) {
    {
        QuotaJournal journal(store_, clock_);
        report(journal, gateTo("key"), {limits::Report::Kind::KeyRefused});
    }
    pass(299s);
    const auto gate = restarted();
    pass(1s);
    QuotaJournal journal(store_, clock_);
    report(journal, gate, {limits::Report::Kind::KeyRefused});
    EXPECT_EQ(gate->look({}).at, clock_.now() + 600s);
}

TEST_F(StandingTest, ASuccessIsForgivenAndNothingIsWrittenWithoutNews) {
    using Kind = limits::Report::Kind;
    QuotaJournal journal(store_, clock_);
    const auto gate = gateTo("key");
    report(journal, gate, {Kind::Ok});
    report(journal, gate, {Kind::Neutral});
    EXPECT_TRUE(store_.written.empty());
    report(journal, gate, {Kind::RateLimited, 10s});
    EXPECT_EQ(store_.texts.count("asked/one"), 1u);
    pass(10s);
    report(journal, gate, {Kind::Ok});
    EXPECT_EQ(store_.texts.count("asked/one"), 0u);
    EXPECT_EQ(store_.written.size(), 2u);
}

TEST_F(StandingTest, WhatCannotBeReadIsNotKept) {
    for (const char* text :
         {"x", "1000", "1000 {}", "1000 {\"why\":\"busy\",\"ms\":1}", "{\"why\":\"disabled\",\"ms\":9}",
          "1000 {\"target\":\"key\",\"why\":\"disabled\",\"ms\":-1}"}) {
        store_.texts["asked/one"] = text;
        EXPECT_TRUE(restarted()->look({})) << text;
    }
    store_.texts["asked/one"] = "1000 {\"target\":\"key\",\"why\":\"disabled\",\"ms\":9223372036854775807}";
    EXPECT_EQ(restarted()->look({}).at, clock_.now() + 24h) << "never is a day";
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
