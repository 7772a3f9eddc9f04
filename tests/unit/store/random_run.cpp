#include "tests/unit/store/random_run.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace stepper::store {
namespace {

constexpr milliseconds kRetention = 2min, kMaxWait = 5min;
const std::string kFirstTenant = "a", kLastTenant = "c";
const CrashPolicy kCrashes{.suspect_after = 1, .fail_after = 3, .failed_meta = "crashed"};

bool isBusy(JobState s) { return s == JobState::Ready || s == JobState::Delayed || s == JobState::Leased; }

}  // namespace

void RandomRun::run(int steps) {
    open(kCrashes);
    for (int done = 0; done < steps && !HasFailure(); ++done) {
        SCOPED_TRACE("step " + std::to_string(done));
        step();
        look();
    }
    if (!HasFailure()) drain();
}

void RandomRun::step() {
    dropped_.clear();
    switch (upTo(16)) {
        case 16: claimOverdue(); break;
        case 0:
        case 1: enqueueOne(); break;
        case 2: enqueueSome(); break;
        case 3:
        case 4:
        case 5:
        case 6: claimSome(); break;
        case 7:
        case 8:
        case 9:
        case 10:
        case 11: write(); break;
        case 12:
        case 13: dropOne(); break;
        case 14: waitAndReap(); break;
        default:
            sweepAll(kRetention);
            std::erase_if(asked_, [&](const auto& asked) {
                return asked.second.answer && asked.second.used < clock_.wall() - kRetention;
            });
            if (!chance(20)) break;
            const std::string key = anyKey();
            must(store_->forget(key, ""));
            answers_.erase(key);
    }
}

std::string RandomRun::anyId() {
    if (seen_.empty() || chance(2)) return "none";
    return std::next(seen_.begin(), upTo(static_cast<int>(seen_.size()) - 1))->first;
}

Lease RandomRun::anyLease() {
    std::vector<Lease> held;
    for (const auto& [id, job] : seen_)
        if (job.state == JobState::Leased) held.push_back({id, job.fence});
    // One in four is any that was ever given, mostly an old one.
    const auto& from = held.empty() || chance(25) ? leases_ : held;
    if (from.empty()) return {"none", 1};
    return from[random_() % from.size()];
}

std::string RandomRun::newId(const std::string& prefix) {
    const std::string id = prefix + std::to_string(++last_id_);
    ages_[id] = last_id_;
    return id;
}

std::string RandomRun::anyRequest(const std::string& id) {
    const int eights = chance(70) ? 0 : upTo(18);
    costs_[id] = std::min(1 + eights, 16);
    return std::string(static_cast<size_t>(eights) * 8'192, 'x');
}

const Job* RandomRun::flying(const std::string& key) const {
    if (key.empty()) return nullptr;
    for (const auto& [id, job] : seen_)
        if (job.cache_key == key && !isFinal(job.state) && job.state != JobState::Following &&
            !alone_.contains(id))
            return &job;
    return nullptr;
}

bool RandomRun::isHeld(const Lease& lease) const {
    const auto found = seen_.find(lease.id);
    return found != seen_.end() && found->second.state == JobState::Leased &&
           found->second.fence == lease.fence;
}

Enqueued RandomRun::expected(const NewJob& job) const {
    if (const auto asked = asked_.find(job.idempotency_key); asked != asked_.end()) {
        const bool same = asked->second.digest == job.request_digest;
        return same ? Enqueued{How::Repeated, asked->second.job_id, asked->second.answer}
                    : Enqueued{How::Conflict, "", {}};
    }
    const auto answer = answers_.find(job.cache_key);
    if (job.accept_cached && answer != answers_.end() && answer->second.fresh_until > clock_.now())
        return {How::Cached, "", answer->second};
    if (const Job* leader = flying(job.cache_key)) {
        const bool follows = !job.background && (job.time_limit || deadlines_.contains(leader->id));
        return {How::Coalesced, follows ? job.id : leader->id, {}};
    }
    return {How::Created, job.id, {}};
}

void RandomRun::enqueueOne() {
    NewJob job = keyedJob(newId("job"), anyKey());
    job.tenant = anyTenant();
    job.priority = 4 + upTo(2);
    job.request = anyRequest(job.id);
    job.accept_cached = chance(70);
    job.background = chance(20);
    if (!job.background && chance(20)) job.time_limit = std::chrono::seconds(1 + upTo(60));
    if (chance(30)) {
        job.idempotency_key = "once" + std::to_string(upTo(20));
        job.request_digest = std::to_string(upTo(1));
    }
    const Enqueued want = expected(job), got = must(store_->enqueue(job));
    EXPECT_EQ(got.how, want.how);
    EXPECT_EQ(got.id, want.id);
    if (want.answer && got.answer) {
        EXPECT_EQ(got.answer->result, want.answer->result);
    }
    EXPECT_EQ(got.answer.has_value(), want.answer.has_value());
    const bool remembered = got.how == How::Created || (got.how == How::Coalesced && !job.background);
    if (remembered && !job.idempotency_key.empty())
        asked_[job.idempotency_key] = {job.request_digest, got.id};
    if (got.how == How::Cached && !job.idempotency_key.empty())
        asked_[job.idempotency_key] = {job.request_digest, "", got.answer, clock_.wall()};
    if (got.id != job.id) return;
    seen_[job.id] = this->job(job.id);
    EXPECT_EQ(seen_[job.id].state, got.how == How::Created ? JobState::Ready : JobState::Following);
    if (job.time_limit) deadlines_[job.id] = clock_.now() + *job.time_limit;
}

void RandomRun::enqueueSome() {
    NewBatch batch = newBatch(newId("batch"), 1 + upTo(2), {});
    batch.tenant = anyTenant();
    for (int i = upTo(5); i >= 0; --i) {
        batch.items.push_back(keyedItem(newId("item"), anyKey()));
        batch.items.back().accept_cached = chance(70);
        batch.items.back().request = anyRequest(batch.items.back().id);
        if (chance(20)) batch.items.back().priority = 4 + upTo(2);
        if (chance(20)) batch.items.back().time_limit = std::chrono::seconds(1 + upTo(60));
    }
    EXPECT_EQ(enqueue(batch), How::Created);
    concurrencies_[batch.id] = batch.concurrency;
    seen_[batch.id] = job(batch.id);
    for (const NewItem& item : batch.items) {
        seen_[item.id] = job(item.id);
        batch_of_[item.id] = batch.id;
        if (item.time_limit) deadlines_[item.id] = clock_.now() + *item.time_limit;
    }
}

// Tenant by tenant and round by round.
const Job* RandomRun::serve(Turn& turn, const std::vector<const Job*>& waiting) {
    for (;;) {
        turn.last =
            turn.last >= kLastTenant ? kFirstTenant : std::string(1, static_cast<char>(turn.last[0] + 1));
        if (int& owed = turn.owed[turn.last]; owed > 0) {
            --owed;
            continue;
        }
        const Job* oldest = nullptr;
        for (const Job* job : waiting)
            if (job->tenant == turn.last && (!oldest || ages_.at(job->id) < ages_.at(oldest->id)))
                oldest = job;
        if (!oldest) continue;
        turn.owed[turn.last] = costs_.at(oldest->id) - 1;
        return oldest;
    }
}

std::vector<std::string> RandomRun::expectedClaims(Lane lane, int max) {
    std::vector<const Job*> waiting;
    for (const auto& [id, job] : seen_) {
        const bool due = job.state == JobState::Delayed && *job.run_at <= clock_.wall();
        if (job.lane == lane && (job.state == JobState::Ready || due)) waiting.push_back(&job);
    }
    auto& turns = turns_[static_cast<int>(lane)];
    std::vector<std::string> ids;
    for (; max > 0; --max) {
        int best = std::numeric_limits<int>::max();
        for (const Job* job : waiting) best = std::min(best, job->priority);
        std::erase_if(turns, [&](const auto& turn) { return turn.first < best; });
        if (waiting.empty()) break;
        std::vector<const Job*> urgent;
        std::ranges::copy_if(waiting, std::back_inserter(urgent),
                             [&](const Job* job) { return job->priority == best; });
        const Job* next = serve(turns.try_emplace(best, Turn{kLastTenant, {}}).first->second, urgent);
        ids.push_back(next->id);
        std::erase(waiting, next);
    }
    return ids;
}

void RandomRun::claimSome() {
    const Lane lane = static_cast<Lane>(upTo(2));
    const int max = upTo(6);
    const auto want = expectedClaims(lane, max);
    std::vector<std::string> got;
    for (const Claimed& c : claim(lane, max)) {
        got.push_back(c.lease.id);
        leases_.push_back(c.lease);
        EXPECT_GT(c.lease.fence, seen_.at(c.lease.id).fence);
    }
    EXPECT_EQ(got, want);
}

// All whose time limit is over, whatever they wait for, those that wait for a provider too long, and no
// others.
void RandomRun::claimOverdue() {
    std::set<std::string> want, got;
    for (const auto& [id, job] : seen_) {
        const bool for_itself = job.state == JobState::Ready || job.state == JobState::Delayed;
        const bool for_another = job.state == JobState::Held || job.state == JobState::Following;
        const auto deadline = deadlines_.find(id);
        const bool late = deadline != deadlines_.end() && deadline->second <= clock_.now();
        if (((for_itself || for_another) && late) || (for_itself && job.created <= clock_.wall() - kMaxWait))
            want.insert(id);
    }
    const Claims claims = must(store_->claimOverdue(1000, kLease, kMaxWait));
    for (const Claimed& c : claims.jobs) {
        got.insert(c.lease.id);
        leases_.push_back(c.lease);
        if (batch_of_.contains(c.lease.id)) pulled_out_.insert(c.lease.id);
        if (seen_.at(c.lease.id).state == JobState::Following) alone_.insert(c.lease.id);
    }
    EXPECT_EQ(got, want);
    EXPECT_TRUE(!claims.next_due || *claims.next_due > 0ms);
}

void RandomRun::write() {
    const Lease lease = anyLease();
    const bool held = isHeld(lease);
    switch (upTo(5)) {
        case 0: EXPECT_EQ(heartbeat(lease, upTo(100)), held); break;
        case 1: {
            const bool failed = chance(50);
            EXPECT_EQ(postpone(lease, chance(50) ? 0s : std::chrono::seconds(upTo(200)), failed), held);
            attempts_[lease.id] += held && failed;
            break;
        }
        case 2: {
            Ending ending;
            ending.state = JobState::Failed;
            ending.meta = "failed";
            ending.alone = chance(50);
            EXPECT_EQ(must(store_->finish(lease, ending)), held);
            break;
        }
        case 3: EXPECT_EQ(finish(lease, "uncached"), held); break;
        default: {
            const std::string result = lease.id + "/" + std::to_string(lease.fence);
            EXPECT_EQ(finishCached(lease, result, {30s, 90s}), held);
            const std::string key = held ? seen_.at(lease.id).cache_key : "";
            if (key.empty()) break;
            answers_[key] = {lease.id,           "generate",        result, "", clock_.now(),
                             clock_.now() + 30s, clock_.now() + 90s};
        }
    }
}

void RandomRun::dropOne() {
    const std::string id = anyId();
    const bool force = chance(20);
    dropped_ = id;
    const auto before = seen_.find(id);
    const Dropped got = must(store_->drop(id, force));
    if (before == seen_.end()) {
        EXPECT_EQ(got.how, Dropped::How::NotFound);
        return;
    }
    const Job& job = before->second;
    if (isFinal(job.state) && batch_of_.count(id)) return;
    const bool wanted = job.wanted_by > 1 && !force;
    EXPECT_EQ(got.how, wanted               ? Dropped::How::StillWanted
                       : isFinal(job.state) ? Dropped::How::Purged
                                            : Dropped::How::Cancelled);
    if (wanted) {
        EXPECT_EQ(got.wanted_by, job.wanted_by - 1);
    }
}

void RandomRun::waitAndReap() {
    clock_.advance(std::chrono::seconds(upTo(40)));
    const auto reaped = must(store_->reap());
    EXPECT_GE(reaped, 0);
}

void RandomRun::look() {
    std::map<std::string, Job> now;
    for (const auto& [id, before] : seen_) {
        const auto found = must(store_->job(id));
        if (!found) {
            EXPECT_TRUE(isFinal(before.state)) << "vanished: " << text(before);
            continue;
        }
        checkPast(before, *found);
        checkAlone(*found);
        if (found->lane == Lane::Live && batch_of_.contains(id)) pulled_out_.insert(id);
        now.emplace(id, *found);
    }
    seen_ = std::move(now);
    std::erase_if(pulled_out_, [&](const auto& id) { return !seen_.contains(id); });
    std::erase_if(deadlines_, [&](const auto& deadline) { return !seen_.contains(deadline.first); });
    std::erase_if(asked_, [&](const auto& asked) {
        return !asked.second.answer && !seen_.contains(asked.second.job_id);
    });
    for (const auto& [id, job] : seen_)
        if (job.isBatch()) checkBatch(job);
    checkTogether();
    checkAnswers();
}

void RandomRun::checkPast(const Job& before, const Job& now) const {
    EXPECT_GE(now.fence, before.fence) << text(now);
    EXPECT_GE(now.version, before.version) << text(now);
    if (now.state != before.state || now.progress != before.progress || now.attempts != before.attempts) {
        EXPECT_GT(now.version, before.version) << text(now);
    }
    if (now.state == JobState::Cancelled && before.state != JobState::Cancelled) {
        EXPECT_TRUE(now.id == dropped_ || (batch_of_.contains(now.id) && batch_of_.at(now.id) == dropped_))
            << text(now);
    }
    if (isFinal(before.state)) {
        EXPECT_EQ(text(now), text(before));
    }
}

void RandomRun::checkAlone(const Job& job) const {
    EXPECT_EQ(job.finished.has_value(), isFinal(job.state)) << text(job);
    EXPECT_EQ(job.run_at.has_value(), job.state == JobState::Delayed) << text(job);
    EXPECT_GE(job.wanted_by, 0);
    const int attempts = attempts_.contains(job.id) ? attempts_.at(job.id) : 0;
    EXPECT_EQ(job.attempts, attempts) << text(job);
    EXPECT_LE(job.crashes, 5);
    if (!isFinal(job.state)) {
        EXPECT_LT(job.crashes, kCrashes.fail_after) << text(job);
        EXPECT_EQ(job.lane == Lane::Suspect, job.crashes >= kCrashes.suspect_after) << text(job);
    }
    if (job.state != JobState::Done) {
        EXPECT_EQ(job.result, "") << text(job);
    }
}

void RandomRun::checkBatch(const Job& batch) {
    const auto states = itemStates(batch.id);
    const auto in = [&](auto matches) {
        return static_cast<int>(std::count_if(states.begin(), states.end(), matches));
    };
    if (isFinal(batch.state)) {
        EXPECT_EQ(batch.done + batch.failed, batch.total) << text(batch);
        EXPECT_EQ(batch.busy, 0) << text(batch);
        return;
    }
    EXPECT_EQ(static_cast<int>(states.size()), batch.total);
    EXPECT_EQ(batch.done, in([](JobState s) { return s == JobState::Done; })) << text(batch);
    EXPECT_EQ(batch.failed, in([](JobState s) { return isFinal(s) && s != JobState::Done; })) << text(batch);
    EXPECT_EQ(batch.busy, in(isBusy)) << text(batch);
    EXPECT_LT(batch.done + batch.failed, batch.total) << text(batch);
    int pulled_out = 0;
    for (const std::string& id : pulled_out_)
        pulled_out += batch_of_.at(id) == batch.id && isBusy(seen_.at(id).state);
    const int room = concurrencies_.at(batch.id);
    EXPECT_LE(batch.busy, room + pulled_out) << text(batch);
    if (in([](JobState s) { return s == JobState::Held; }) > 0) {
        EXPECT_GE(batch.busy, room) << text(batch);
    }
}

void RandomRun::checkTogether() {
    std::map<std::string, int> flights;
    Stats want;
    for (const auto& [id, job] : seen_) {
        LaneStats& lane = want.lanes[job.lane];
        lane.ready += job.state == JobState::Ready;
        lane.delayed += job.state == JobState::Delayed;
        lane.leased += job.state == JobState::Leased;
        want.held += job.state == JobState::Held;
        want.following += job.state == JobState::Following;
        if (job.state == JobState::Following) {
            EXPECT_NE(flying(job.cache_key), nullptr) << text(job);
        }
        if (!isFinal(job.state) && job.state != JobState::Following && !alone_.contains(id) &&
            !job.cache_key.empty()) {
            EXPECT_EQ(++flights[job.cache_key], 1) << text(job);
        }
    }
    const Stats got = must(store_->stats());
    for (const Lane lane : kLanes) {
        EXPECT_EQ(got.lanes[lane].ready, want.lanes[lane].ready);
        EXPECT_EQ(got.lanes[lane].delayed, want.lanes[lane].delayed);
        EXPECT_EQ(got.lanes[lane].leased, want.lanes[lane].leased);
    }
    EXPECT_EQ(got.held, want.held);
    EXPECT_EQ(got.following, want.following);

    const auto ids = listed({}, 1'000'000);
    const std::set<std::string> shown(ids.begin(), ids.end());
    EXPECT_EQ(shown.size(), ids.size());
    for (const auto& [id, job] : seen_)
        if (!batch_of_.contains(id)) {
            EXPECT_TRUE(shown.contains(id)) << text(job);
        }
    for (const auto& id : shown) EXPECT_TRUE(seen_.contains(id)) << id;
}

void RandomRun::checkAnswers() {
    std::erase_if(answers_, [&](const auto& kept) { return kept.second.expires <= clock_.now(); });
    for (int i = 0; i <= 5; ++i) {
        const std::string key = "key" + std::to_string(i);
        const auto want = answers_.find(key);
        const auto got = must(store_->cached(key));
        ASSERT_EQ(got.has_value(), want != answers_.end()) << key;
        if (!got) continue;
        EXPECT_EQ(got->job_id, want->second.job_id);
        EXPECT_EQ(got->result, want->second.result);
        EXPECT_EQ(got->made_at, want->second.made_at);
    }
}

void RandomRun::drain() {
    for (int round = 0; round < 500; ++round) {
        clock_.advance(200s);
        must(store_->reap());
        for (const Lane lane : {Lane::Live, Lane::Batch, Lane::Suspect})
            for (const Claimed& c : claim(lane, 1000)) EXPECT_TRUE(finish(c.lease));
        look();
        if (std::ranges::all_of(seen_, [](const auto& seen) { return isFinal(seen.second.state); })) return;
    }
    ADD_FAILURE() << "some jobs never end";
}

}  // namespace stepper::store
