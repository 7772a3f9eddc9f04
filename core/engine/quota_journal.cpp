#include "core/engine/quota_journal.h"

namespace stepper::engine {
namespace {

constexpr std::string_view kPrefix = "quota/";
constexpr milliseconds kAfterError{5'000};

}  // namespace

QuotaJournal::QuotaJournal(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {
    auto notes = store.notes(kPrefix);
    if (!notes) {
        trouble_.tell(notes.error().message);
        return;
    }
    for (auto& note : *notes) earlier_.emplace(note.name.substr(kPrefix.size()), std::move(note.text));
}

void QuotaJournal::restore(const std::string& provider, limits::Gate& gate) const {
    const auto earlier = earlier_.find(provider);
    if (earlier == earlier_.end() || gate.restore(earlier->second)) return;
    log::warn("what was used of a quota cannot be read; it counts from nothing", {{"provider", provider}});
}

void QuotaJournal::cover(const std::string& provider, limits::Gate& gate, const limits::Pass& pass) {
    if (gate.covers(pass)) return;
    std::lock_guard in_order(mutex_);
    // Whoever wrote before us may have written for us, too.
    if (gate.covers(pass) || clock_.now() < leave_alone_until_) return;
    write(provider, gate, false);
}

void QuotaJournal::close(const std::string& provider, limits::Gate& gate) {
    std::lock_guard in_order(mutex_);
    write(provider, gate, true);
}

void QuotaJournal::write(const std::string& provider, limits::Gate& gate, bool final) {
    const auto saved = gate.save(final);
    const store::Note note{std::string(kPrefix) + provider, saved.text};
    if (const auto written = store_.putNotes({&note, 1}); !written) {
        leave_alone_until_ = clock_.now() + kAfterError;
        return trouble_.tell(written.error().message);
    }
    gate.saved(saved.covers);
    trouble_.over();
}

}  // namespace stepper::engine
