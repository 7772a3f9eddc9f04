#include "core/engine/quota_journal.h"

#include <algorithm>

namespace stepper::engine {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view kPrefix = "quota/";
constexpr milliseconds kAfterError{5'000};
// How late one who waits for a write may notice that its client is gone.
constexpr milliseconds kCancelCheck{100};

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
    std::unique_lock lock(mutex_);
    const auto leftAlone = [this] { return stop_ || clock_.now() < leave_alone_until_; };
    if (leftAlone()) return;
    wanted_.insert_or_assign(provider, gate);
    if (!thread_.joinable()) thread_ = std::thread([this] { loop(); });
    work_.notify_one();
    const SteadyTime patience = steady_clock::now() + kPatience;
    while (!gate->covers(pass) && !leftAlone()) {
        const SteadyTime now = steady_clock::now();
        if (now >= patience) return giveUp("a write takes longer than a second");
        if (now >= until || cancel.check() != CancelReason::None) return;
        written_.wait_until(lock, std::min({patience, until, now + kCancelCheck}));
    }
}

void QuotaJournal::loop() {
    std::unique_lock lock(mutex_);
    for (;;) {
        work_.wait(lock, [this] { return stop_ || !wanted_.empty(); });
        if (stop_) return;
        const Wanted gates = std::exchange(wanted_, {});
        lock.unlock();
        std::vector<int64_t> covers;
        const auto done = write(gates, covers);
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
