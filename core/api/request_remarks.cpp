#include "core/api/request_remarks.h"

#include <algorithm>

#include "core/engine/plan.h"

namespace stepper::api {
namespace {

void remarkOnNames(std::string_view member, const std::vector<std::string>& names,
                   const engine::Snapshot& snapshot, Remarks& out) {
    std::vector<std::string> known;
    for (size_t i = 0; i < names.size(); ++i) {
        if (snapshot.find(names[i])) continue;
        if (known.empty())
            for (const auto& provider : snapshot.providers) known.push_back(provider.spec.name);
        out.unknown(std::string(member) + '[' + std::to_string(i) + ']', names[i],
                    "no provider has that name", known);
    }
}

}  // namespace

void remarkOnProviders(const engine::GenerateRequest& request, const engine::Snapshot& snapshot,
                       Remarks& out) {
    for (size_t i = 0; i < request.preferred.size(); ++i) {
        const auto* provider = snapshot.find(request.preferred[i]);
        if (provider && !engine::lists(provider->spec, request.model))
            out.add("preferredProviders[" + std::to_string(i) + ']', "that provider does not list the model");
    }
    remarkOnNames("preferredProviders", request.preferred, snapshot, out);
    remarkOnNames("excludeProviders", request.excluded, snapshot, out);
}

void remarkOnQuery(const http::Request& request, std::initializer_list<std::string_view> known,
                   Remarks& out) {
    const std::vector<std::string> names(known.begin(), known.end());
    for (const auto& [name, value] : request.query)
        if (std::find(names.begin(), names.end(), name) == names.end())
            out.unknown('?' + name, name, "unknown query parameter", names);
}

void remarkOnHeaders(const http::Request& request, Use use, Remarks& out) {
    if (use == Use::Job && !request.header("x-request-timeout-ms").empty())
        out.add("X-Request-Timeout-Ms", "nobody waits for a queued request; send maxDurationSeconds");
    if (use == Use::Immediate && !request.header("idempotency-key").empty())
        out.add("Idempotency-Key", "it counts for queued requests only");
}

}  // namespace stepper::api
