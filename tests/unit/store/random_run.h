// Random operations on a store beside a small model of what they must do. After each one, all that is
// promised of every job is checked through the public interface.
#pragma once
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/store/support.h"

namespace stepper::store {

class RandomRun : public StoreTest {
protected:
    // So many operations; then workers do their work, and everything that lives comes to an end.
    void run(int steps);

private:
    // The tenant served last, and the rounds that tenants have to sit out.
    struct Turn {
        std::string last;
        std::map<std::string, int> owed;
    };

    void step();
    void drain();
    // Reads all jobs again and checks them, alone, against their past and together.
    void look();

    bool chance(unsigned percent) { return random_() % 100 < percent; }
    int upTo(int most) { return static_cast<int>(random_() % static_cast<unsigned>(most + 1)); }
    std::string anyKey() { return chance(40) ? "" : "key" + std::to_string(upTo(5)); }
    std::string anyTenant() { return std::string(1, static_cast<char>('a' + upTo(2))); }
    std::string anyId();
    Lease anyLease();
    std::string newId(const std::string& prefix);
    // Of the job with that id; what it costs is remembered.
    std::string anyRequest(const std::string& id);

    void enqueueOne();
    void enqueueSome();
    void claimSome();
    void claimOverdue();
    void write();
    void dropOne();
    void waitAndReap();

    Enqueued expected(const NewJob& job) const;
    std::vector<std::string> expectedClaims(Lane lane, int max);
    const Job* serve(Turn& turn, const std::vector<const Job*>& waiting);
    const Job* flying(const std::string& key) const;
    bool isHeld(const Lease& lease) const;

    void checkPast(const Job& before, const Job& now) const;
    void checkAlone(const Job& job) const;
    void checkBatch(const Job& batch);
    void checkTogether();
    void checkAnswers();

    std::mt19937 random_{20260101};
    struct Asked {
        std::string digest, job_id;
        std::optional<CachedAnswer> answer = {};  // of a first use that was answered at once
        WallTime used = {};
    };
    std::map<std::string, SteadyTime> deadlines_;      // by job with a time limit
    std::set<std::string> alone_;                      // jobs that left the flight they followed
    std::map<std::string, Job> seen_;                  // all jobs there are
    std::map<std::string, int> ages_, concurrencies_;  // by job, by batch
    std::map<std::string, std::string> batch_of_;      // by item
    std::set<std::string> pulled_out_;                 // items that became urgent
    std::map<std::string, Asked> asked_;               // by idempotency key
    std::map<std::string, CachedAnswer> answers_;      // by cache key
    std::map<std::string, int> attempts_;              // by job
    std::vector<Lease> leases_;                        // all ever given
    std::map<std::string, int> costs_;                 // by job
    std::map<int, Turn> turns_[3];                     // by priority, of each lane
    std::string dropped_;                              // in this step
    int last_id_ = 0;
};

}  // namespace stepper::store
