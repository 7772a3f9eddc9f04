#include "core/engine/plan.h"

#include <algorithm>
#include <limits>
#include <set>

#include "core/base/text.h"

namespace stepper::engine {
namespace {

// A typical request, for comparing prices: providers' prices of input and output differ by much the same
// factor.
constexpr int64_t kTypicalIn = 1'000, kTypicalOut = 500;

bool isNamed(const ProviderEntry& entry, const std::vector<std::string>& names) {
    return std::any_of(names.begin(), names.end(),
                       [&](const auto& n) { return equalsIgnoreCase(n, entry.spec.name); });
}

// Of all providers together; more would be no help to read.
constexpr size_t kMostModelsTold = 40;

std::vector<std::string> modelsOf(const std::vector<const ProviderEntry*>& providers) {
    std::set<std::string> seen;
    std::vector<std::string> out;
    const auto add = [&](const std::string& model) {
        if (!model.empty() && seen.insert(model).second) out.push_back(model);
    };
    for (const auto* provider : providers) {
        add(provider->spec.model);
        for (const auto& model : provider->spec.models) add(model);
    }
    return out;
}

// Lower goes first.
double rank(const ProviderEntry& entry, config::Plan order, int64_t tokens_out) {
    switch (order) {
        case config::Plan::Manual: break;
        case config::Plan::FastestFirst:
            return static_cast<double>(entry.gate->p50().value_or(milliseconds{0}).count());
        case config::Plan::CheapestFirst:
            return costOf(entry.spec, kTypicalIn, tokens_out).value_or(std::numeric_limits<double>::max());
    }
    return 0;
}

void sortBy(config::Plan order, int64_t tokens_out, std::vector<const ProviderEntry*>::iterator begin,
            std::vector<const ProviderEntry*>::iterator end) {
    if (order == config::Plan::Manual) return;
    std::vector<std::pair<double, const ProviderEntry*>> ranked;
    for (auto it = begin; it != end; ++it) ranked.emplace_back(rank(**it, order, tokens_out), *it);
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::transform(ranked.begin(), ranked.end(), begin, [](const auto& r) { return r.second; });
}

}  // namespace

std::optional<double> costOf(const config::Provider& provider, int64_t tokens_in, int64_t tokens_out) {
    constexpr double kMillion = 1e6;
    if (!provider.price) return std::nullopt;
    return (provider.price->input * static_cast<double>(tokens_in) +
            provider.price->output * static_cast<double>(tokens_out)) /
           kMillion;
}

std::vector<const ProviderEntry*> plan(const Snapshot& snapshot, const GenerateRequest& request) {
    std::vector<const ProviderEntry*> out;
    const auto add = [&](const ProviderEntry& entry) {
        if (!isNamed(entry, request.excluded) && lists(entry.spec, request.model) &&
            std::find(out.begin(), out.end(), &entry) == out.end())
            out.push_back(&entry);
    };
    for (const auto& name : request.preferred)
        if (const auto* entry = snapshot.find(name)) add(*entry);
    const auto preferred = static_cast<ptrdiff_t>(out.size());
    for (const auto& entry : snapshot.providers)
        if (entry.enabled()) add(entry);
    sortBy(request.plan.value_or(snapshot.config.plan), request.max_output_tokens.value_or(kTypicalOut),
           out.begin() + preferred, out.end());
    return out;
}

bool lists(const config::Provider& provider, const std::string& model) {
    return model.empty() || model == provider.model ||
           std::find(provider.models.begin(), provider.models.end(), model) != provider.models.end();
}

std::optional<Error> modelProblem(const Snapshot& snapshot, const GenerateRequest& request) {
    if (request.model.empty() || !plan(snapshot, request).empty()) return std::nullopt;
    GenerateRequest any = request;
    any.model.clear();
    const auto there = modelsOf(plan(snapshot, any));
    std::string why = "Invalid model: no provider that may be asked lists '" + request.model + "'; ";
    why += there.empty() ? "none of them lists any" : "there are ";
    const size_t told = std::min(there.size(), kMostModelsTold);
    for (size_t i = 0; i < told; ++i) why += (i == 0 ? "'" : ", '") + there[i] + "'";
    if (told < there.size()) why += " and " + std::to_string(there.size() - told) + " more";
    return Error{ErrorClass::InvalidRequest, why};
}

}  // namespace stepper::engine
