#include "core/store/sqlite/writer.h"

#include <sqlite3.h>

#include "core/store/sqlite/kept_time.h"

namespace stepper::store::sqlite {

namespace {

constexpr size_t kMostInGroup = 512;
// Between two looks at the files while nothing is written.
constexpr milliseconds kLookEvery{1'000};

// What a failure says about the rest of the group and about later ones.
enum class Blame {
    Operation,  // something the operation did; others are not touched
    Trouble,    // the disk or a lock: it may pass
    Damage,     // the file cannot be trusted
};

Blame blame(const SqlFailure& failure) {
    switch (failure.primary()) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return Blame::Damage;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PROTOCOL:
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_NOMEM: return Blame::Trouble;
        default: return Blame::Operation;
    }
}

std::string advice(const SqlFailure& failure) {
    switch (failure.primary()) {
        case SQLITE_FULL: return " Free space on its file system; writes are tried again all the time.";
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return " Another program holds it locked; end that one.";
        case SQLITE_NOMEM: return " Give the process more memory.";
        default: return " See to its disk; writes are tried again all the time.";
    }
}

}  // namespace

bool Ticket::begin() {
    std::lock_guard lock(mutex_);
    if (stage_ == Stage::Withdrawn) return false;
    stage_ = Stage::Running;
    return true;
}

bool Ticket::end(std::optional<Error> error) {
    bool heard = false;
    {
        std::lock_guard lock(mutex_);
        if (stage_ == Stage::Ended) return true;
        heard = stage_ != Stage::Forsaken;
        error_ = std::move(error);
        stage_ = Stage::Ended;
    }
    ended_.notify_one();
    return heard;
}

std::optional<Error> Ticket::wait(SteadyTime deadline) {
    std::unique_lock lock(mutex_);
    if (ended_.wait_until(lock, deadline, [&] { return stage_ == Stage::Ended; })) return error_;
    if (stage_ == Stage::Waiting) {
        stage_ = Stage::Withdrawn;
        return Error{ErrorClass::Overloaded,
                     "The store did not come to this write in time; nothing was written. Try again.",
                     milliseconds{1'000}};
    }
    stage_ = Stage::Forsaken;
    return Error{ErrorClass::Overloaded,
                 "The store did not finish this write in time; the outcome is unknown. Repeat it with the "
                 "same ids.",
                 milliseconds{1'000}};
}

Writer::Writer(std::unique_ptr<Db> db, std::string path, Durability durability, const Tuning& tuning,
               const Clock& clock, StoreTime& time, Condition& condition)
    : path_(std::move(path)),
      durability_(durability),
      tuning_(tuning),
      clock_(clock),
      time_(time),
      condition_(condition),
      db_(std::move(db)) {
    checkpoints_.attach(*db_, static_cast<int>(tuning_.busy_timeout.count()));
    thread_ = std::thread([this] { loop(); });
}

Writer::~Writer() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    arrived_.notify_one();
    thread_.join();
}

void Writer::setListener(Listener* listener) {
    std::lock_guard lock(listener_mutex_);
    listener_ = listener;
}

std::optional<Error> Writer::await(const std::shared_ptr<Ticket>& ticket) {
    if (auto error = condition_.refusal()) return error;
    {
        std::lock_guard lock(mutex_);
        const bool late =
            !waiting_.empty() && ticket->since - waiting_.front()->since > tuning_.oldest_waiting;
        if (late || waiting_.size() >= tuning_.most_waiting)
            return Error{ErrorClass::Overloaded,
                         "The store has more to write than it can. Try again in a second.",
                         milliseconds{1'000}};
        waiting_.push_back(ticket);
    }
    arrived_.notify_one();
    return ticket->wait(ticket->since + tuning_.call_deadline);
}

void Writer::loop() {
    // Its memory is kept, so that those who wait can be told when there is no more.
    for (Group group; round(group);) group.clear();
    // A file that is not ours any more, or damaged, is not touched again.
    if (!condition_.isSound()) db_->leaveLogAlone();
    db_.reset();
}

bool Writer::round(Group& group) {
    committing_ = false;
    try {
        group.reserve(kMostInGroup);
        gather(group);
        if (!group.empty()) write(group);
    } catch (const std::bad_alloc&) {
        // Texts that short take no memory.
        const char* message = committing_ ? "outcome unknown" : "out of memory";
        for (const auto& ticket : group)
            ticket->end(Error{ErrorClass::Overloaded, message, tuning_.retry_pause});
        db_->rollBack();
        std::this_thread::sleep_for(tuning_.retry_pause);
        return true;
    }
    if (!group.empty()) return true;
    std::lock_guard lock(mutex_);
    return !stopping_ || !waiting_.empty();
}

// Leaves it empty when it is time to stop, or for another look.
void Writer::gather(Group& group) {
    std::unique_lock lock(mutex_);
    const auto is_due = [&] { return stopping_ || owing_ || !waiting_.empty(); };
    using std::chrono::steady_clock;
    const SteadyTime idle_at = steady_clock::now() + tuning_.idle_after;
    while (!arrived_.wait_until(lock, std::min(idle_at, steady_clock::now() + kLookEvery), is_due)) {
        lock.unlock();
        const bool usable = !refusal();
        if (steady_clock::now() >= idle_at) {
            if (usable && checkpoints_.idleWorkLeft()) checkpoints_.whenIdle();
            return;
        }
        lock.lock();
    }
    if (std::exchange(owing_, false) || !waiting_.empty()) group.assign(amends_.begin(), amends_.end());
    while (!waiting_.empty() && group.size() < kMostInGroup) {
        if (waiting_.front()->begin()) group.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
}

void Writer::write(const Group& group) {
    if (auto error = unusable()) return settle(group, error);
    setSync(group);
    const auto failure = attempt(group);
    if (!failure) return;
    if (group.size() == 1 || blame(*failure) != Blame::Operation) return settle(group, explain(*failure));
    // One of them is bad; which one shows when each has a transaction of its own.
    for (const auto& ticket : group) {
        const Part alone(&ticket, 1);
        auto error = unusable();
        if (!error) {
            const auto own = attempt(alone);
            if (!own) continue;
            error = explain(*own);
        }
        settle(alone, error);
    }
}

// Commits and settles all of `part`, or nothing of it.
std::optional<SqlFailure> Writer::attempt(Part part) {
    effects_ = {};
    committing_ = false;
    // For what is done when it is committed, which has to be done then.
    amends_.reserve(amends_.size() + part.size());
    // The one before may have found no memory to be undone in.
    if (db_->inTransaction()) db_->rollBack();
    db_->run("BEGIN IMMEDIATE");
    const auto begin = [this] { return Transaction{{time_.now(), steadyMs(clock_.now())}, *db_, effects_}; };
    const std::string time = time_.toKeep();
    if (!time.empty()) keepTime(begin(), time);
    for (const auto& ticket : part) {
        if (db_->failed()) break;
        auto tx = begin();
        ticket->perform(tx);
    }
    if (!db_->failed()) {
        committing_ = true;
        db_->run("COMMIT");
    }
    if (db_->failed()) {
        const SqlFailure failure = *db_->failure();
        db_->rollBack();
        return failure;
    }
    if (!time.empty()) time_.kept();
    // What went into files that others took away meanwhile is not promised.
    if (auto error = refusal()) {
        error->message += " The outcome is unknown: repeat the call with the same ids.";
        settle(part, error);
        return {};
    }
    condition_.works();
    settle(part, std::nullopt);
    committing_ = false;
    tell(effects_);
    bool more_waiting = false;
    {
        std::lock_guard lock(mutex_);
        more_waiting = !waiting_.empty();
    }
    checkpoints_.afterCommit(more_waiting);
    return {};
}

void Writer::settle(Part part, const std::optional<Error>& error) {
    for (const auto& ticket : part) {
        const bool heard = ticket->end(error);
        // One that cannot succeed is not tried for ever.
        if (!error || error->error_class != ErrorClass::Overloaded) std::erase(amends_, ticket);
        if (error || heard || !ticket->turnToUndoing()) continue;
        amends_.push_back(ticket);
        owing_ = true;
    }
}

// One that whoever listens has no memory for takes no other with it.
void Writer::tell(const Effects& effects) {
    std::lock_guard lock(listener_mutex_);
    if (!listener_) return;
    const auto each = [](const auto& news, auto tell_of) {
        for (const auto& item : news) {
            try {
                tell_of(item);
            } catch (const std::bad_alloc&) {
            }
        }
    };
    each(effects.revoked, [this](const std::string& id) { listener_->leaseRevoked(id); });
    each(effects.answers, [this](const std::string& key) { listener_->answerChanged(key); });
    each(effects.changed, [this](const std::string& id) { listener_->jobChanged(id); });
    each(effects.lanes, [this](Lane lane) { listener_->workAvailable(lane); });
}

std::optional<Error> Writer::refusal() {
    auto error = condition_.refusal(checkpoints_.lengths());
    if (error && condition_.lostOnlyLog() && !rescued_) rescued_ = checkpoints_.rescue();
    return error;
}

// Why this group cannot even be tried. After an I/O error only a new connection knows what is on the disk.
std::optional<Error> Writer::unusable() {
    if (auto error = refusal()) return error;
    if (!reopen_) return {};
    auto db = openForWriting(path_, tuning_);
    db->script("PRAGMA synchronous = FULL");
    // Commits that were not synced by themselves may read back from the log without being on the disk; what
    // is promised next must not lie behind such a gap.
    const auto not_emptied = db->scalar("PRAGMA wal_checkpoint(TRUNCATE)");
    if (db->failed()) return explain(*db->failure());
    if (not_emptied != "0") return condition_.pauseAgain();
    db_ = std::move(db);
    checkpoints_.attach(*db_, static_cast<int>(tuning_.busy_timeout.count()));
    sync_.reset();
    reopen_ = false;
    return {};
}

Error Writer::explain(const SqlFailure& failure) {
    std::string reason = "The store " + path_ + " cannot be written: " + failure.message + ".";
    switch (blame(failure)) {
        case Blame::Operation: return {ErrorClass::Internal, reason + " Nothing was written."};
        case Blame::Damage:
            reason += std::string(" Nothing more is written to it.") + kPutBackup;
            condition_.broken(reason);
            return {ErrorClass::Internal, reason};
        case Blame::Trouble: break;
    }
    reason += advice(failure);
    condition_.troubled(reason);
    const bool io = failure.primary() == SQLITE_IOERR;
    if (io) reopen_ = true;
    if (io && committing_) reason += " The outcome is unknown: repeat the call with the same ids.";
    return {ErrorClass::Overloaded, reason, tuning_.retry_pause};
}

void Writer::setSync(Part part) {
    const bool promised =
        durability_ == Durability::Full &&
        std::any_of(part.begin(), part.end(), [](const auto& t) { return t->promise == Promise::Given; });
    const Promise wanted = promised ? Promise::Given : Promise::None;
    if (sync_ == wanted) return;
    db_->script(promised ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    if (!db_->failed()) sync_ = wanted;
}

}  // namespace stepper::store::sqlite
