// The order in which a request asks its providers. Pure.
#pragma once
#include <vector>

#include "core/engine/request.h"
#include "core/engine/snapshot.h"

namespace stepper::engine {

// Preferred providers first, in the order named, then the others, without the excluded ones; the others as
// configured or, when the request or else the configuration says so, those first that answered fastest lately
// (half of the answers; those not measured before them, to be measured) or that cost least for a request of
// this size (those without a price last). A provider that does not list the model that the request names
// takes no part. Disabled providers take part only when preferred by name (so that their absence is
// explained). Unknown names are ignored; names of providers match case-insensitively, those of models
// exactly. The pointers live as long as the snapshot.
std::vector<const ProviderEntry*> plan(const Snapshot& snapshot, const GenerateRequest& request);

// Whether requests may name this model there: "", its own, or one of its others.
bool lists(const config::Provider& provider, const std::string& model);

// Why a request whose plan is empty for the model it names can be asked of nobody: InvalidRequest, with the
// models there are. None when it names no model, or a provider of its plan lists it.
std::optional<Error> modelProblem(const Snapshot& snapshot, const GenerateRequest& request);

// What a request costs there by the provider's price; none without one.
std::optional<double> costOf(const config::Provider& provider, int64_t tokens_in, int64_t tokens_out);

}  // namespace stepper::engine
