#include "core/api/job_page.h"

#include "core/api/generate_request.h"
#include "core/api/job_view.h"

namespace stepper::api {

Result<std::string> jobPage(store::Store& store, const store::Job& job, WallTime now,
                            std::vector<std::string> warnings) {
    if (job.isBatch()) {
        if (!store::isFinal(job.state)) return jobJson(job, {}, now, warnings);
        const auto items = store.items(job.id);
        if (!items) return items.error();
        return jobJson(job, *items, now, warnings);
    }
    const auto asked = store.request(job.id);
    if (!asked) return asked.error();
    if (*asked)
        for (auto& warning : warningsOn((*asked)->kind, (*asked)->request))
            warnings.push_back(std::move(warning));
    return jobJson(job, {}, now, warnings);
}

}  // namespace stepper::api
