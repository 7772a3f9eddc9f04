// Whose turn it is among the tenants that wait in one lane. They are served by name, a job a round each; who
// was given a job of cost n sits out the n - 1 rounds that follow. So all who wait get the same share of
// cost, and nobody saves anything up by not waiting. Each priority has rounds of its own: were they shared,
// urgent jobs could lead the turn past the same tenant again and again. Only fairness depends on all this, so
// it is not stored. Not safe for threads.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace stepper::store {

// 1, and 1 more for each 8 KiB of the request; at most 16.
int costOf(size_t request_bytes);

class Turns {
public:
    // The oldest job of a tenant, by its number in the store.
    struct Waiting {
        std::string tenant;
        int64_t job = 0;
    };
    // Of the first tenant by name behind this one, or of all; nothing when none waits there.
    using Look = std::function<std::optional<Waiting>(const std::optional<std::string>& behind)>;

    // The job to serve. `priority` is the best at which anybody waits; `look` sees the tenants that do. It is
    // called once, and again for each tenant that sits out and is passed over.
    std::optional<Waiting> next(int priority, const Look& look);
    // The cost of the job that next() gave last.
    void charge(int cost);
    // Nobody waits: all begin anew.
    void forget() { rounds_.clear(); }

private:
    struct Rounds {
        int64_t present = 0;
        std::optional<std::string> served;    // last
        std::map<std::string, int64_t> back;  // those who sit out, with the round that they are back in

        void serve(const std::string& tenant, int64_t round);
    };

    std::map<int, Rounds> rounds_;  // by priority
};

}  // namespace stepper::store
