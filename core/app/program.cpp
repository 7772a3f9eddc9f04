#include "core/app/program.h"

#include <algorithm>
#include <system_error>

#include "core/telemetry/log.h"

namespace stepper::app {
namespace fs = std::filesystem;

fs::path thisProgram() {
    std::error_code ec;
    return fs::read_symlink("/proc/self/exe", ec);
}

fs::path defaultPluginsDir() {
    const fs::path prefix = thisProgram().parent_path().parent_path();
    const fs::path installed = prefix / "lib" / "stepper" / "plugins";
    std::error_code ec;
    return fs::is_directory(installed, ec) ? installed : prefix / "plugins";
}

runtime::Home home() { return {thisProgram(), defaultPluginsDir()}; }

plugin::LoadOptions loadOptions(fs::path copies_dir) {
    plugin::LoadOptions options;
    options.copies_dir = std::move(copies_dir);
    options.probe_program = thisProgram();
    return options;
}

void openLog(std::string_view level, std::string_view format) {
    log::init(level, format);
    plugin::setPluginLog([](int plugin_level, std::string_view message) {
        log::write(static_cast<log::Level>(std::clamp(plugin_level, 0, 3) + 1), "plugin",
                   {{"message", message}});
    });
}

}  // namespace stepper::app
