// stepper config: what is in force, and what there is to set.
#include <cstdio>

#include "core/app/configuration.h"
#include "core/app/verbs.h"
#include "core/base/json.h"
#include "core/config/effective.h"
#include "core/config/reference.h"

namespace stepper::app {

int showConfig(const Options& options) {
    if (options.defaults || options.reference) {
        const std::string text = options.defaults ? config::defaultsYaml()
                                                  : config::settingsTable() + "\n" + config::providersTable();
        std::fputs(text.c_str(), stdout);
        return kExitOk;
    }
    const auto config = loadConfig(options);
    if (!config) return complain(config.error().message, kExitConfig);
    std::printf("%s\n", json::dumpPretty(config::effective(*config, config::Secrets::Masked)).c_str());
    return kExitOk;
}

}  // namespace stepper::app
