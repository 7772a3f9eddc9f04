#include "core/api/job_page.h"

#include "core/api/generate_request.h"
#include "core/api/job_view.h"

namespace stepper::api {

Result<std::string> jobPage(store::Store& store, const store::Job& job, WallTime now) {
    if (job.isBatch()) {
        if (!store::isFinal(job.state)) return jobJson(job, {}, now);
        const auto items = store.items(job.id);
        if (!items) return items.error();
        return jobJson(job, *items, now);
    }
    const auto asked = store.request(job.id);
    if (!asked) return asked.error();
    return jobJson(job, {}, now,
                   *asked ? warningsOn((*asked)->kind, (*asked)->request) : std::vector<std::string>());
}

}  // namespace stepper::api
