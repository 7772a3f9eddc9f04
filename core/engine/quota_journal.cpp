#include "core/engine/quota_journal.h"

#include <algorithm>
#include <system_error>

#include "core/telemetry/rounds.h"

namespace stepper::engine {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view kPrefix = "quota/";
constexpr milliseconds kAfterError{5'000};

// Wakes all who wait for a write: one of them has been cancelled.
class Knock final : public Sleeper {
public:
    explicit Knock(std::condition_variable& waiters, std::mutex& mutex) : waiters_(waiters), mutex_(mutex) {}
    void wake() noexcept override {
        std::lock_guard lock(mutex_);
        waiters_.notify_all();
    }

private:
    std::condition_variable& waiters_;
    std::mutex& mutex_;
};

store::Note noteOf(const std::string& provider, const limits::Quotas::Saved& saved) {
    return {std::string(kPrefix) + provider, saved.text};
}

}  // namespace

QuotaJournal::QuotaJournal(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {
    auto notes = store.notes(kPrefix);
    if (!notes) {
        trouble_.tell(notes.error().message);
        return;
    }
    for (auto& note : *notes) earlier_.emplace(note.name.substr(kPrefix.size()), std::move(note.text));
}

QuotaJournal::~QuotaJournal() { stop(); }

void QuotaJournal::restore(const std::string& provider, limits::Gate& gate) const {
    const auto earlier = earlier_.find(provider);
    if (earlier == earlier_.end() || gate.restore(earlier->second)) return;
    log::warn("what was used of a quota cannot be read; it counts from nothing", {{"provider", provider}});
}

void QuotaJournal::cover(const std::string& provider, const std::shared_ptr<limits::Gate>& gate,
                         const limits::Pass& pass, SteadyTime until, CancelToken& cancel) {
    if (gate->covers(pass)) return;
    Knock knock(written_, mutex_);
    const CancelToken::Alert alert(cancel, knock);  // ends after the lock
    std::unique_lock lock(mutex_);
    const auto leftAlone = [this] { return stop_ || clock_.now() < leave_alone_until_; };
    if (leftAlone()) return;
    wanted_.insert_or_assign(provider, gate);
    if (!ensureThread()) return;
    work_.notify_one();
    const SteadyTime patience = steady_clock::now() + kPatience;
    while (!gate->covers(pass) && !leftAlone()) {
        const SteadyTime now = steady_clock::now();
        if (now >= patience) return giveUp("a write takes longer than a second");
        if (now >= until || cancel.check() != CancelReason::None) return;
        written_.wait_until(lock, alert.lookBy(std::min(patience, until)));
    }
}

bool QuotaJournal::ensureThread() {
    if (thread_.joinable()) return true;
    try {
        thread_ = std::thread([this] { loop(); });
    } catch (const std::system_error& e) {
        giveUp(e.what());
    }
    return thread_.joinable();
}

void QuotaJournal::loop() {
    std::unique_lock lock(mutex_);
    for (;;) {
        work_.wait(lock, [this] { return stop_ || !wanted_.empty(); });
        if (stop_) return;
        const Wanted gates = std::exchange(wanted_, {});
        lock.unlock();
        std::vector<int64_t> covers;
        Result<void> done = Error{ErrorClass::Overloaded, "out of memory"};
        hasMemoryFor("storing quotas", [&] { done = write(gates, covers); });
        lock.lock();
        if (done) {
            size_t i = 0;
            for (const auto& [provider, gate] : gates) gate->saved(covers[i++]);
            trouble_.over();
        } else {
            giveUp(done.error().message);
        }
        written_.notify_all();
    }
}

Result<void> QuotaJournal::write(const Wanted& gates, std::vector<int64_t>& covers) {
    std::vector<store::Note> notes;
    for (const auto& [provider, gate] : gates) {
        const auto saved = gate->save(false);
        notes.push_back(noteOf(provider, saved));
        covers.push_back(saved.covers);
    }
    return store_.putNotes(notes);
}

void QuotaJournal::giveUp(std::string_view reason) {
    leave_alone_until_ = clock_.now() + kAfterError;
    trouble_.tell(reason);
}

void QuotaJournal::stop() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    work_.notify_all();
    written_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void QuotaJournal::close(const std::string& provider, limits::Gate& gate) {
    stop();
    const auto note = noteOf(provider, gate.save(true));
    if (const auto written = store_.putNotes({&note, 1}); !written) trouble_.tell(written.error().message);
}

}  // namespace stepper::engine
