#include <cstdio>

#include "core/app/configuration.h"
#include "core/app/program.h"
#include "core/app/verbs.h"
#include "core/config/effective.h"
#include "core/store/open.h"

namespace stepper::app {

int check(const Options& options) {
    auto config = loadConfig(options);
    if (!config) {
        std::fprintf(stderr, "%s\n", config.error().message.c_str());
        return kExitConfig;
    }
    const runtime::Host host(std::move(config).value(), home());
    const auto snapshot = host.snapshot();
    for (const auto& warning : snapshot->config.warnings) std::printf("warning: %s\n", warning.c_str());
    for (const auto& refused : snapshot->catalog.refused)
        std::printf("refused: %s: %s\n", refused.file.c_str(), refused.reason.c_str());
    for (const auto& p : snapshot->providers)
        std::printf("%-8s  %-16s %-18s %-34s %s\n", p.enabled() ? "enabled" : "disabled", p.spec.name.c_str(),
                    p.spec.plugin.c_str(), p.spec.model.c_str(), p.disabled_reason.c_str());
    std::printf("store     %s\n", config::shownUrl(snapshot->config.store_url).c_str());
    auto problems = runtime::configProblems(*snapshot, true);
    if (const auto known = store::checkKind(snapshot->config.store_url); !known)
        problems.push_back(known.error().message);
    for (const auto& problem : problems) std::fprintf(stderr, "%s\n", problem.c_str());
    if (!problems.empty()) return kExitConfig;
    std::printf("configuration is valid\n");
    return kExitOk;
}

}  // namespace stepper::app
