#include "core/api/api.h"

#include <algorithm>
#include <iterator>

#include "core/api/routes.h"

namespace stepper::api {

Routes makeRoutes(ApiDeps deps) {
    Routes out;
    for (const auto part : {generateRoutes, immediateRoutes, batchRoutes, jobRoutes, retryRoutes, usageRoutes,
                            forecastRoutes, monitorRoutes, adminRoutes})
        std::ranges::move(part(deps), std::back_inserter(out));
    out.push_back(rootRoute(out, deps));
    return out;
}

}  // namespace stepper::api
