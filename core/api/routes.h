// The parts of the route table, a resource and a file each.
#pragma once
#include <functional>
#include <memory>

#include "core/api/api.h"

namespace stepper::api {

using Routes = std::vector<http::Route>;

Routes generateRoutes(const ApiDeps& deps);   // work for the queue, or answered from the cache
Routes immediateRoutes(const ApiDeps& deps);  // work whose answer is waited for
Routes batchRoutes(const ApiDeps& deps);
Routes jobRoutes(const ApiDeps& deps);    // what became of the work: asked for, waited for, followed, dropped
Routes retryRoutes(const ApiDeps& deps);  // finished jobs run again
Routes usageRoutes(const ApiDeps& deps);
Routes forecastRoutes(const ApiDeps& deps);
Routes monitorRoutes(const ApiDeps& deps);  // providers, health, readiness and metrics
Routes adminRoutes(const ApiDeps& deps);
// GET /: lists the others.
http::Route rootRoute(const Routes& others, const ApiDeps& deps);

// A member of a resource as a handler; the resource lives as long.
template <class Resource, class Member>
http::Handler on(std::shared_ptr<Resource> resource, Member member) {
    return [resource = std::move(resource), member](const http::Request& request) {
        return std::invoke(member, *resource, request);
    };
}

}  // namespace stepper::api
