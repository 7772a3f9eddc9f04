// A store that keeps notes and nothing else, and fails when told to, for tests of what writes them.
#pragma once
#include <algorithm>
#include <map>
#include <vector>

#include "tests/unit/store/unavailable_store.h"

namespace stepper::engine {

// Used by one thread.
class NotesStore final : public store::UnavailableStore {
public:
    std::map<std::string, std::string> texts;
    std::vector<size_t> written;  // the size of each portion
    size_t most_read = 0;         // at once
    bool reads_fail = false, writes_fail = false;
    milliseconds now{1'000};

    milliseconds time() const override { return now; }

    Result<void> putNotes(std::span<const store::Note> notes) override {
        if (writes_fail) return unavailable();
        written.push_back(notes.size());
        for (const auto& note : notes) {
            if (note.text.empty()) {
                texts.erase(note.name);
            } else {
                texts[note.name] = note.text;
            }
        }
        return {};
    }
    Result<std::vector<store::Note>> notes(std::string_view prefix, std::string_view from,
                                           size_t most) override {
        if (reads_fail) return unavailable();
        std::vector<store::Note> out;
        for (const auto& [name, text] : texts)
            if (name.starts_with(prefix) && name >= from && out.size() < most) out.push_back({name, text});
        most_read = std::max(most_read, out.size());
        return out;
    }
};

}  // namespace stepper::engine
