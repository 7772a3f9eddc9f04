#include "core/store/sqlite/notes.h"

#include <algorithm>

namespace stepper::store::sqlite {

void putNotes(Transaction& tx, std::span<const Note> notes) {
    for (const Note& note : notes) {
        if (note.text.empty())
            tx.db.run("DELETE FROM note WHERE name = ?1", note.name);
        else
            tx.db.run(
                "INSERT INTO note(name, text) VALUES(?1, ?2) "
                "ON CONFLICT(name) DO UPDATE SET text = excluded.text",
                note.name, note.text);
    }
}

std::vector<Note> findNotes(Db& db, std::string_view prefix, std::string_view from, size_t most) {
    std::vector<Note> notes;
    // Names that begin with the prefix follow one another.
    Query q(db, "SELECT name, text FROM note WHERE name >= ?1 ORDER BY name", std::max(prefix, from));
    for (; notes.size() < most && q.next(); notes.push_back({q.text(0), q.text(1)}))
        if (!q.text(0).starts_with(prefix)) break;
    return notes;
}

}  // namespace stepper::store::sqlite
