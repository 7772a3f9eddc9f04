#include <cstdio>

#include "core/app/configuration.h"
#include "core/app/program.h"
#include "core/app/verbs.h"
#include "core/base/text.h"
#include "core/engine/attempt.h"
#include "core/secrets/redact.h"

namespace stepper::app {
namespace {

// One line for each key. False when one is not well.
bool test(const engine::ProviderEntry& provider, transport::Transport& transport) {
    const std::string& name = provider.spec.name;
    if (!provider.enabled()) {
        std::printf("%s: off: %s\n", name.c_str(), provider.disabled_reason.c_str());
        return false;
    }
    if (!(provider.plugin->image()->capabilities() & STEPPER_CAP_PROBE)) {
        std::printf("%s: cannot be tested at no cost: its plugin, %s, has no probe\n", name.c_str(),
                    provider.spec.plugin.c_str());
        return true;
    }
    bool well = true;
    for (size_t i = 0; i < provider.targets.size(); ++i) {
        const SystemClock clock;
        CancelToken cancel;
        const auto began = std::chrono::steady_clock::now();
        const auto error =
            engine::probe(provider, provider.targets[i], {SteadyTime::max(), cancel, transport, clock});
        const auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
        const std::string which =
            provider.targets.size() > 1 ? name + ", key " + std::to_string(i + 1) : name;
        if (error)
            std::printf("%s: %s: %s\n", which.c_str(), std::string(stepper::name(error->error_class)).c_str(),
                        secrets::redact(error->message).c_str());
        else
            std::printf("%s: well, %lld ms\n", which.c_str(), static_cast<long long>(took.count()));
        well = well && !error;
    }
    return well;
}

std::string noSuch(const engine::Snapshot& snapshot, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& provider : snapshot.providers) names.push_back(provider.spec.name);
    const auto near = nearest(name, names);
    return "there is no provider " + name + " in the configuration" +
           (near ? "; did you mean " + *near + "?" : "");
}

}  // namespace

int providerTest(const Options& options) {
    openLog("warn", "text");
    auto config = loadConfig(options);
    if (!config) return complain(config.error().message, kExitConfig);
    runtime::Host host(std::move(config).value(), home());
    const auto snapshot = host.snapshot();
    if (!options.name.empty()) {
        const auto* provider = snapshot->find(options.name);
        if (!provider) return complain(noSuch(*snapshot, options.name), kExitConfig);
        return test(*provider, host.transport()) ? kExitOk : kExitFailure;
    }
    bool any = false, well = true;
    for (const auto& provider : snapshot->providers) {
        if (!provider.spec.enabled) continue;
        any = true;
        well = test(provider, host.transport()) && well;
    }
    if (!any)
        return complain("no provider is on: set at least one API key, such as GEMINI_API_KEY", kExitConfig);
    return well ? kExitOk : kExitFailure;
}

}  // namespace stepper::app
