#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "core/app/program.h"
#include "core/app/template.h"
#include "core/app/verbs.h"
#include "core/plugin/library/image.h"

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

// As one word for a shell.
std::string quoted(const std::string& word) {
    constexpr std::string_view kPlain = "-_./=:@%+,";
    const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [&](unsigned char c) {
        return std::isalnum(c) || kPlain.find(static_cast<char>(c)) != std::string_view::npos;
    });
    if (plain) return word;
    std::string out = "'";
    for (const char c : word) out += c == '\'' ? "'\\''" : std::string(1, c);
    return out + "'";
}

// What tells CMake where the SDK is: installed with this program, or in the source that this one was built
// in. "" when it is in neither place.
std::string sdkOption(const fs::path& program) {
    constexpr int kMostFoldersUp = 4;
    std::error_code ec;
    const fs::path prefix = program.parent_path().parent_path();
    if (fs::exists(prefix / "include/stepper/plugin_abi.h", ec))
        return "-DCMAKE_PREFIX_PATH=" + prefix.string();
    fs::path up = program.parent_path();
    for (int i = 0; i < kMostFoldersUp; ++i) {
        up = up.parent_path();
        if (fs::exists(up / "sdk/plugin.map", ec)) return "-DSTEPPER_SDK=" + (up / "sdk").string();
    }
    return "";
}

void tellNext(const fs::path& dir) {
    const fs::path program = thisProgram();
    const std::string sdk = sdkOption(program);
    const std::string folder = dir.string().starts_with('-') ? "./" + dir.string() : dir.string();
    std::printf("\nNext: cd %s && cmake -B build %s %s && cmake --build build && ctest --test-dir build\n",
                quoted(folder).c_str(), quoted(sdk.empty() ? "-DSTEPPER_SDK=DIR" : sdk).c_str(),
                quoted("-DSTEPPER=" + program.string()).c_str());
    if (sdk.empty())
        std::printf(
            "DIR is the SDK, which is not beside %s: an installation of it, or sdk/ of Stepper's source.\n",
            program.c_str());
}

// The server takes the first of two plugins of one kind.
void warnOfNamesake(const std::string& name) {
    std::error_code ec;
    const fs::path there = defaultPluginsDir() / (name + ".so");
    if (fs::exists(there, ec))
        complain("warning: kind " + name + " is already provided by " + there.string() +
                 ", and only one of them would be taken; begin under another name unless it is to replace "
                 "that one");
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
    tellNext(dir);
    warnOfNamesake(name);
    return kExitOk;
}

}  // namespace stepper::app
