// The files `stepper plugin new` begins a project with, from sdk/template. Pure.
#pragma once
#include <string_view>
#include <vector>

namespace stepper::app {

// Stands for the plugin's name in paths and contents.
inline constexpr std::string_view kTemplateName =
    "@"
    "NAME"
    "@";

struct TemplateFile {
    std::string_view path, content;
};
std::vector<TemplateFile> pluginTemplate();

}  // namespace stepper::app
