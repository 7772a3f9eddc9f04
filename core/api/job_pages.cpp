#include "core/api/job_pages.h"

#include <algorithm>

#include "core/api/generate_request.h"
#include "core/api/job_view.h"

namespace stepper::api {
namespace {

constexpr size_t kFewPages = 64;

struct Counted {
    explicit Counted(std::shared_ptr<http::ByteBudget> from) : budget(std::move(from)), share(*budget) {}
    std::shared_ptr<http::ByteBudget> budget;
    http::ByteBudget::Share share;
    std::string text;
};

}  // namespace

Result<JobPages::Page> JobPages::of(store::Job job, const std::vector<std::string>& warnings) {
    if (!store::isFinal(job.state) || !warnings.empty()) return make(job, warnings);
    const std::string key = job.id + "@" + std::to_string(job.version);
    std::promise<Result<Page>> promise;
    {
        std::unique_lock lock(mutex_);
        if (known_.size() >= forget_at_) forgetUnused();
        Known& known = known_[key];
        if (auto made = known.made.lock()) return made;
        if (known.making.valid()) {
            const auto making = known.making;
            lock.unlock();
            // Many may be waiting, and each has read a result.
            { const store::Job let_go = std::move(job); }
            return making.get();
        }
        known.making = promise.get_future().share();
    }
    const auto conclude = [&](const Page& page) {
        std::lock_guard lock(mutex_);
        known_[key] = {page, {}};
    };
    try {
        auto made = make(job, {});
        conclude(made ? *made : nullptr);
        promise.set_value(made);
        return made;
    } catch (...) {
        conclude(nullptr);
        promise.set_exception(std::current_exception());
        throw;
    }
}

Result<JobPages::Page> JobPages::make(const store::Job& job, std::vector<std::string> warnings) const {
    auto made = text(job, std::move(warnings));
    if (!made) return made.error();
    auto counted = std::make_shared<Counted>(budget_);
    if (!counted->share.grow(made->size())) return Page{};
    counted->text = std::move(made).value();
    return Page(counted, &counted->text);
}

Result<std::string> JobPages::text(const store::Job& job, std::vector<std::string> warnings) const {
    const WallTime now = clock_.wall();
    if (job.isBatch()) {
        if (!store::isFinal(job.state)) return jobJson(job, {}, now, warnings);
        const auto items = store_.items(job.id);
        if (!items) return items.error();
        return jobJson(job, *items, now, warnings);
    }
    const auto asked = store_.request(job.id);
    if (!asked) return asked.error();
    if (*asked)
        for (auto& warning : warningsOn((*asked)->kind, (*asked)->request))
            warnings.push_back(std::move(warning));
    return jobJson(job, {}, now, warnings);
}

void JobPages::forgetUnused() {
    std::erase_if(known_, [](const auto& entry) {
        return entry.second.made.expired() && !entry.second.making.valid();
    });
    forget_at_ = std::max(kFewPages, 2 * known_.size());
}

}  // namespace stepper::api
