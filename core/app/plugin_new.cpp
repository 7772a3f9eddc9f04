#include <cstdio>
#include <filesystem>
#include <fstream>

#include "core/app/template.h"
#include "core/app/verbs.h"
#include "core/plugin/image.h"

namespace stepper::app {
namespace fs = std::filesystem;
namespace {

std::string named(std::string_view text, std::string_view name) {
    std::string out(text);
    for (size_t i = 0; (i = out.find(kTemplateName, i)) != std::string::npos; i += name.size())
        out.replace(i, kTemplateName.size(), name);
    return out;
}

bool write(const fs::path& file, const std::string& content) {
    std::ofstream out(file, std::ios::binary);
    out << content;
    return static_cast<bool>(out.flush());
}

}  // namespace

int pluginNew(const Options& options) {
    const std::string& name = options.name;
    if (!plugin::isKind(name) || name.starts_with('-'))
        return complain("'" + name + "' cannot be a plugin's name: expected 1 to 64 of a-z, 0-9 and -",
                        kExitUsage);
    const fs::path dir = options.folder.empty() ? name : options.folder;

    std::error_code ec;
    for (const auto& file : pluginTemplate()) {
        const fs::path path = dir / named(file.path, name);
        if (fs::symlink_status(path, ec).type() != fs::file_type::not_found)
            return complain(path.string() + " is there already; nothing was written");
    }
    fs::create_directories(dir, ec);
    if (ec) return complain(dir.string() + " cannot be made: " + ec.message());
    for (const auto& file : pluginTemplate()) {
        const fs::path path = dir / named(file.path, name);
        if (!write(path, named(file.content, name))) return complain(path.string() + " cannot be written");
        std::printf("%s\n", path.c_str());
    }
    std::printf("\nNext: cd %s && cmake -B build && cmake --build build && ctest --test-dir build\n",
                dir.c_str());
    return kExitOk;
}

}  // namespace stepper::app
