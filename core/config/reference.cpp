#include "core/config/reference.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/config/settings.h"

namespace stepper::config {
namespace {

constexpr const char* kHead =
    R"(# Stepper's settings. Every value may be ${NAME} or ${NAME:-default} ($$ is a dollar sign). What is left out has the
# value shown here. The environment variables named at the right win over this file. Paths are relative to this file; those
# that environment variables hold, and those of the program's own copy of this file, to the working folder.
)";

// Columns of a line: "  key: value      # help      VARIABLE".
constexpr size_t kHelp = 34, kVariable = 94, kEnd = 126;

void padTo(std::string& line, size_t column) {
    line.append(line.size() + 1 < column ? column - line.size() : 2, ' ');
}

// Where a line of at most `most` bytes may end, at a blank.
size_t breakAt(const std::string& text, size_t most) {
    const size_t blank = text.size() <= most ? text.size() : text.rfind(' ', most);
    return blank == std::string::npos ? text.size() : blank;
}

std::string yamlLine(std::string start, const About& row) {
    std::string out, help = row.help;
    for (;;) {
        padTo(start, kHelp);
        const size_t end = breakAt(help, kEnd - kHelp);
        start += "# " + help.substr(0, end);
        if (end == help.size()) break;
        out += start + "\n";
        start.clear();
        help.erase(0, end + 1);
    }
    if (!row.variable.name.empty()) {
        padTo(start, kVariable);
        start += row.variable.name;
    }
    return out + start + "\n";
}

std::string yamlOf(Rows<Config> rows, size_t from = 0, const std::string& indent = "") {
    std::string out;
    bool apart = true;  // at the top level, from what was before
    for (const auto& key : keysOf(rows, from)) {
        const About& about = key.row();
        if (from == 0 && (apart || key.isSection())) out += "\n";
        apart = key.isSection();
        if (key.isSection())
            out += indent + key.name + ":\n" + yamlOf(key.rows, key.below, indent + "  ");
        else
            out += yamlLine(
                indent + (about.instead ? "# " : "") + key.name + ": " + key.row().write(Config()), about);
    }
    return out;
}

std::string variableOf(const Variable& v) {
    if (v.name.empty()) return "";
    return fmt::format("`{}{}`", v.of == Variable::Of::Service ? "" : "NAME_", v.name);
}

template <class T>
std::string defaultOf(const Setting<T>& row) {
    if (row.required) return "required";
    const std::string value = row.write && !row.instead ? row.write(T()) : "null";
    return value == "null" ? "" : "`" + value + "`";
}

template <class T>
std::string linesOf(Rows<T> rows, std::string_view below = "") {
    std::string out;
    for (const auto& row : rows)
        if (!row.type.empty())
            out +=
                fmt::format("| `{}{}` | {} | {} | {} | {}{} |\n", below, row.path, row.type, defaultOf(row),
                            variableOf(row.variable), row.help, row.restart ? " **(restart)**" : "");
    return out;
}

constexpr const char* kColumns = "| key | holds | default | variable | |\n|---|---|---|---|---|\n";

}  // namespace

std::string defaultsYaml() { return kHead + yamlOf(settings()); }

std::string settingsTable() { return kColumns + linesOf<Config>(settings()); }

std::string providersTable() {
    return kColumns + linesOf<Config>(catalogueSettings()) + linesOf(providerSettings(), "providers[].") +
           linesOf<Window>(windowSettings(), "providers[].limits.windows[].") +
           linesOf<Price>(priceSettings(), "providers[].price.");
}

}  // namespace stepper::config
