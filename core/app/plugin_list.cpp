#include <algorithm>
#include <cstdio>

#include "core/app/client.h"
#include "core/app/configuration.h"
#include "core/app/program.h"
#include "core/app/verbs.h"
#include "core/base/temporary_folder.h"
#include "core/plugin/library/library.h"

namespace stepper::app {
namespace {

constexpr size_t kShownHash = 12;

int listFolder(const std::filesystem::path& dir) {
    const TemporaryFolder state;
    auto ledger = plugin::Ledger::open(state.path());
    plugin::Library library(ledger ? std::move(ledger).value() : plugin::Ledger(), loadOptions({}), [] {});
    plugin::Wanted wanted;
    wanted.dir = dir;
    const auto catalog = library.look(wanted, plugin::Pace::Immediate).catalog;
    for (const auto& [kind, image] : catalog.by_kind)
        std::printf("%-20s %-10s %s\n", kind.c_str(), image->version().c_str(), image->file().c_str());
    for (const auto& refused : catalog.refused) std::printf("refused: %s\n", refused.reason.c_str());
    return catalog.refused.empty() ? kExitOk : kExitFailure;
}

std::string text(const json::Value& v, std::string_view key) {
    return std::string(json::string(v, key).value_or(""));
}

// Who uses it, or why nobody does.
std::string remark(const json::Value& p) {
    if (std::string reason = text(p, "reason"); !reason.empty()) return reason;
    std::string out;
    if (const auto* providers = json::find(p, "providers"); providers && providers->IsArray())
        for (const auto& name : providers->GetArray())
            if (name.IsString()) out += (out.empty() ? "" : ", ") + std::string(json::view(name));
    return out;
}

std::string stateOf(const json::Value& p) {
    const auto references = json::integer(p, "retiredReferences");
    return text(p, "state") + (references ? "(" + std::to_string(*references) + ")" : "");
}

void printTable(const json::Value& plugins) {
    std::vector<std::vector<std::string>> rows = {
        {"KIND", "VERSION", "STATE", "GENERATION", "SHA256", "FILE", "PROVIDERS OR REASON"}};
    for (const auto& p : plugins.GetArray())
        rows.push_back({text(p, "kind"), text(p, "version"), stateOf(p),
                        std::to_string(json::integer(p, "generation").value_or(0)),
                        text(p, "sha256").substr(0, kShownHash), text(p, "file"), remark(p)});
    std::vector<size_t> widths(rows[0].size());
    for (const auto& row : rows)
        for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    for (const auto& row : rows) {
        for (size_t i = 0; i + 1 < row.size(); ++i)
            std::printf("%-*s  ", static_cast<int>(widths[i]), row[i].c_str());
        std::printf("%s\n", row.back().c_str());
    }
}

int show(const Client::Answer& answer, bool as_json) {
    if (answer.status >= 300) return complain(problemOf(answer));
    if (as_json) return std::printf("%s\n", answer.text.c_str()), kExitOk;
    const auto* plugins = json::find(answer.body, "plugins");
    if (!plugins || !plugins->IsArray()) return complain("the server's answer holds no list of plugins");
    printTable(*plugins);
    return kExitOk;
}

}  // namespace

int pluginList(const Options& options) {
    if (!options.folder.empty() && (options.server || options.config || options.json))
        return complain("plugin list FOLDER asks no server: leave out --server, --config and --json",
                        kExitUsage);
    if (!options.folder.empty()) return listFolder(options.folder);
    auto client = Client::make(options);
    if (!client) return complain(client.error().message, kExitConfig);
    const auto answer = client->call("GET", "/admin/plugins");
    if (answer) return show(*answer, options.json);
    if (options.server || options.json) return complain(answer.error().message);
    const auto config = loadSettings(options);
    const bool named = config && !config->plugins_dir.empty();
    return listFolder(named ? config->plugins_dir : defaultPluginsDir());
}

}  // namespace stepper::app
