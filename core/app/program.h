// This program as the process that it is: its file, what stands beside it, its log.
#pragma once
#include <filesystem>
#include <string_view>

#include "core/plugin/library/image.h"
#include "core/runtime/host.h"

namespace stepper::app {

// This program's own file.
std::filesystem::path thisProgram();
// Where plugins are looked for when the configuration names no folder: beside this program, as built or
// installed.
std::filesystem::path defaultPluginsDir();
// Both, for who runs providers.
runtime::Home home();
// How this program loads plugins: private copies in that folder, probed by a child of this program.
plugin::LoadOptions loadOptions(std::filesystem::path copies_dir);
// Opens the log as log::init() does, for what plugins say, too.
void openLog(std::string_view level, std::string_view format);

}  // namespace stepper::app
