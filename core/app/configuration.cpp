#include "core/app/configuration.h"

#include <algorithm>
#include <iterator>
#include <system_error>

#include "core/config/defaults.h"
#include "core/config/env_file.h"

namespace stepper::app {
namespace fs = std::filesystem;
namespace {

std::string configFile(const Options& options, const config::Environment& environment) {
    if (options.config && !options.config->empty()) return *options.config;
    const auto named = environment.find("STEPPER_CONFIG");
    return named == environment.end() ? "" : named->second;
}

// Empty: there is none. A folder of that name is Python's virtual environment.
fs::path besideConfig(const std::string& config_file) {
    const fs::path path = fs::path(config_file).parent_path() / ".env";
    std::error_code ec;
    const auto type = config_file.empty() ? fs::file_type::not_found : fs::status(path, ec).type();
    return type == fs::file_type::not_found || type == fs::file_type::directory ? fs::path() : path;
}

Result<void> complete(Surroundings& out) {
    auto file = config::readEnvFile(out.env_file);
    if (!file) return file.error();
    out.environment.merge(file->variables);  // what is there stays
    out.warnings = std::move(file->warnings);
    return {};
}

Result<config::Config> builtIn(const config::Environment& environment) {
    config::Sources defaults;
    defaults.stepper_yaml = config::defaultStepperYaml();
    defaults.stepper_name = "built-in stepper.yaml";
    defaults.providers_yaml = config::defaultProvidersYaml();
    defaults.providers_name = "built-in providers.yaml";
    auto config = config::parse(defaults, environment);
    if (config) config->plugins_dir.clear();
    return config;
}

}  // namespace

Result<void> surround(const Options& options, Surroundings& out) {
    out.environment = config::processEnvironment();
    out.env_file = options.env_file.value_or("");
    if (!out.env_file.empty())
        if (auto done = complete(out); !done) return done;
    out.config_file = configFile(options, out.environment);
    if (!out.env_file.empty()) return {};
    out.env_file = besideConfig(out.config_file);
    return out.env_file.empty() ? Result<void>() : complete(out);
}

Result<config::Config> loadSettings(const Options& options) {
    Surroundings around;
    if (const auto found = surround(options, around); !found) return found.error();
    return around.config_file.empty() ? builtIn(around.environment)
                                      : config::loadSettings(around.config_file, around.environment);
}

Result<config::Config> loadConfig(const Options& options, std::vector<fs::path>* files) {
    Surroundings around;
    const auto found = surround(options, around);
    std::vector<fs::path> read;
    auto config = !found                       ? Result<config::Config>(found.error())
                  : around.config_file.empty() ? builtIn(around.environment)
                                               : config::load(around.config_file, around.environment, &read);
    if (!around.env_file.empty()) read.push_back(around.env_file);
    if (files) *files = read;
    if (!config) return config;
    config->files = std::move(read);
    std::ranges::move(around.warnings, std::back_inserter(config->warnings));
    if (options.listen) {
        config->server.host = options.listen->host;
        config->server.port = options.listen->port;
    }
    return config;
}

}  // namespace stepper::app
