// Jobs' pages, with what they take from the store beside the job itself.
#pragma once
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/http/byte_budget.h"
#include "core/store/store.h"

namespace stepper::api {

// As GET /v1/jobs/{id} and the `result` of its event stream show them. That of an ended job is made once and
// held once, however many ask for it and however slowly they take it. Borrows what it is made with; safe from
// any thread.
inline constexpr std::string_view kNoRoomForPage =
    "Too much is being sent to other clients; ask again in a moment";

class JobPages {
public:
    using Page = std::shared_ptr<const std::string>;

    JobPages(store::Store& store, const Clock& clock, std::shared_ptr<http::ByteBudget> budget)
        : store_(store), clock_(clock), budget_(std::move(budget)) {}

    // `warnings` are those on the request for the page and stand before those on the job's own. The store's
    // error when it cannot read; null when there is no room for another page now.
    Result<Page> of(store::Job job, const std::vector<std::string>& warnings = {});

    // How many are remembered, of use or not; for tests.
    size_t known() const {
        std::lock_guard lock(mutex_);
        return known_.size();
    }

private:
    struct Known {
        std::weak_ptr<const std::string> made;
        std::shared_future<Result<Page>> making;  // while one thread makes it
    };

    Result<Page> make(const store::Job& job, std::vector<std::string> warnings) const;
    Result<std::string> text(const store::Job& job, std::vector<std::string> warnings) const;
    void forgetUnused();

    store::Store& store_;
    const Clock& clock_;
    const std::shared_ptr<http::ByteBudget> budget_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Known> known_;  // guarded by mutex_; by our own ids
    size_t forget_at_ = 64;                         // guarded by mutex_
};

}  // namespace stepper::api
