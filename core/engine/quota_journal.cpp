#include "core/engine/quota_journal.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "core/telemetry/rounds.h"

namespace stepper::engine {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view kQuota = "quota/", kStanding = "asked/";
constexpr milliseconds kAfterError{5'000};

// Wakes all who wait for a write: one of them may have been cancelled.
class Knock final : public Sleeper {
public:
    Knock(std::condition_variable& waiters, std::mutex& mutex) : waiters_(waiters), mutex_(mutex) {}
    void wake() noexcept override {
        std::lock_guard lock(mutex_);
        heard_ = true;
        waiters_.notify_all();
    }
    // With the lock held: since the last time.
    bool heard() { return std::exchange(heard_, false); }

private:
    std::condition_variable& waiters_;
    std::mutex& mutex_;
    bool heard_ = false;
};

// What a note says, and when that was; notes of older versions do not tell.
struct Dated {
    std::optional<milliseconds> at;
    std::string_view text;
};

Dated dated(std::string_view note) {
    int64_t ms = 0;
    const auto [end, error] = std::from_chars(note.data(), note.data() + note.size(), ms);
    if (error != std::errc() || end == note.data() + note.size() || *end != ' ') return {{}, note};
    return {milliseconds{ms}, note.substr(static_cast<size_t>(end - note.data()) + 1)};
}

}  // namespace

store::Note QuotaJournal::noteOf(std::string_view prefix, const std::string& provider,
                                 const std::string& text) const {
    return {std::string(prefix) + provider,
            text.empty() ? text : std::to_string(store_.time().count()) + ' ' + text};
}

QuotaJournal::QuotaJournal(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {
    for (const auto prefix : {kQuota, kStanding}) {
        auto notes = store.notes(prefix);
        if (!notes) {
            trouble_.tell(notes.error().message);
            return;
        }
        for (auto& note : *notes) earlier_.insert_or_assign(std::move(note.name), std::move(note.text));
    }
}

QuotaJournal::~QuotaJournal() { stop(); }

void QuotaJournal::restore(const std::string& provider, limits::Gate& gate) const {
    const auto earlier = [&](std::string_view prefix) -> std::optional<Dated> {
        const auto found = earlier_.find(std::string(prefix) + provider);
        return found == earlier_.end() ? std::nullopt : std::optional(dated(found->second));
    };
    const auto age = [this](const Dated& note) -> std::optional<milliseconds> {
        return note.at ? std::optional(store_.time() - *note.at) : std::nullopt;
    };
    if (const auto quota = earlier(kQuota); quota && !gate.restore(quota->text, age(*quota)))
        log::warn("what was used of a quota cannot be read; it counts from nothing",
                  {{"provider", provider}});
    if (const auto asked = earlier(kStanding);
        asked && !(asked->at && gate.restoreStanding(asked->text, *age(*asked))))
        log::warn("what a provider asked for cannot be read; it is tried again", {{"provider", provider}});
}

void QuotaJournal::cover(const std::string& provider, const std::shared_ptr<limits::Gate>& gate,
                         const limits::Pass& pass, SteadyTime until, CancelToken& cancel) {
    await(
        provider, gate, [&] { return gate->covers(pass); }, until, cancel);
}

void QuotaJournal::keepStanding(const std::string& provider, const std::shared_ptr<limits::Gate>& gate,
                                SteadyTime until, CancelToken& cancel) {
    // Others may be told more by the provider meanwhile; who waits for that is another one.
    const uint64_t version = gate->standingToSave();
    await(
        provider, gate, [&] { return gate->standingIsSaved(version); }, until, cancel);
}

void QuotaJournal::await(const std::string& provider, const std::shared_ptr<limits::Gate>& gate,
                         const std::function<bool()>& is_done, SteadyTime until, CancelToken& cancel) {
    if (is_done()) return;
    const auto leftAlone = [this] { return stop_ || clock_.now() < leave_alone_until_; };
    {
        std::lock_guard lock(mutex_);
        if (leftAlone()) return;
        wanted_.insert_or_assign(provider, gate);
        if (!ensureThread()) return;
        work_.notify_one();
    }
    Knock knock(written_, mutex_);
    CancelToken::Alert alert(cancel, knock);
    const SteadyTime patience = steady_clock::now() + kPatience;
    for (;;) {
        // Without the lock, which who knocks takes under locks of his own.
        const SteadyTime look_by = alert.lookBy(std::min(patience, until));
        const bool cancelled = cancel.check() != CancelReason::None;
        std::unique_lock lock(mutex_);
        if (is_done() || leftAlone()) return;
        const SteadyTime now = steady_clock::now();
        if (now >= patience) return giveUp("a write takes longer than a second");
        if (now >= until || cancelled) return;
        if (!knock.heard()) written_.wait_until(lock, look_by);
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
        Result<void> done = Error{ErrorClass::Overloaded, "out of memory"};
        hasMemoryFor("storing quotas", [&] { done = write(gates); });
        lock.lock();
        if (done)
            trouble_.over();
        else
            giveUp(done.error().message);
        written_.notify_all();
    }
}

Result<void> QuotaJournal::write(const Wanted& gates) {
    std::vector<store::Note> notes;
    std::vector<std::function<void()>> saved;
    for (const auto& [provider, gate] : gates) {
        auto quota = gate->save(false);
        notes.push_back(noteOf(kQuota, provider, quota.text));
        saved.emplace_back([&gate = *gate, quota = std::move(quota)] { gate.saved(quota); });
        if (gate->standingToSave() == 0) continue;
        const auto standing = gate->saveStanding();
        notes.push_back(noteOf(kStanding, provider, standing.text));
        saved.emplace_back([&gate = *gate, version = standing.version] { gate.standingSaved(version); });
    }
    auto written = store_.putNotes(notes);
    if (written)
        for (const auto& tell : saved) tell();
    return written;
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
    const store::Note notes[] = {noteOf(kQuota, provider, gate.save(true).text),
                                 noteOf(kStanding, provider, gate.saveStanding().text)};
    if (const auto written = store_.putNotes(notes); !written) trouble_.tell(written.error().message);
}

}  // namespace stepper::engine
