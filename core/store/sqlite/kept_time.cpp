#include "core/store/sqlite/kept_time.h"

#include "core/store/sqlite/notes.h"

namespace stepper::store::sqlite {

namespace {

constexpr std::string_view kName = "store/time";

}  // namespace

std::string keptTime(Db& db) {
    const auto found = findNotes(db, kName, {}, 1);
    return found.empty() ? std::string() : found.front().text;
}

bool isKeptTime(const Note& note) { return note.name == kName; }

void keepTime(Transaction tx, std::string_view text) {
    const Note note{std::string(kName), std::string(text)};
    putNotes(tx, {&note, 1});
}

void bringBackToNow(Db& db, int64_t now) {
    db.run("BEGIN IMMEDIATE");
    db.run(
        "UPDATE job SET deadline = deadline - max(created_at - ?1, 0), created_at = min(created_at, ?1), "
        "run_at = run_at - max(updated_at - ?1, 0), updated_at = min(updated_at, ?1), "
        "finished_at = min(finished_at, ?1) "
        "WHERE max(created_at, updated_at, ifnull(finished_at, 0)) > ?1",
        now);
    db.run(
        "UPDATE cache SET fresh_until = fresh_until - (made_at - ?1), expires = expires - (made_at - ?1), "
        "refresh_after = 0, made_at = ?1 WHERE made_at > ?1",
        now);
    db.run("UPDATE answered SET used_at = ?1 WHERE used_at > ?1", now);
    db.run("COMMIT");
}

}  // namespace stepper::store::sqlite
