// A job's page, with what it takes from the store beside the job itself.
#pragma once
#include "core/store/store.h"

namespace stepper::api {

// As GET /v1/jobs/{id} and the `result` of its event stream show it; `warnings` are those on the request for
// the page and stand before those on the job's own. The store's error when it cannot read.
Result<std::string> jobPage(store::Store& store, const store::Job& job, WallTime now,
                            std::vector<std::string> warnings = {});

}  // namespace stepper::api
