#include <functional>
#include <system_error>

#include <unistd.h>

#include "core/base/file.h"
#include "core/base/store_url.h"
#include "core/config/overrides.h"
#include "core/config/settings.h"
#include "core/config/yaml_text.h"
#include "core/config/yaml_tree.h"

namespace stepper::config {
namespace {

namespace fs = std::filesystem;

struct Document {
    std::string name;  // as messages call it
    std::string text;
};
// Finds the providers file that stepper.yaml names. Empty: nobody asks for providers.
using OpenProviders = std::function<Result<Document>(const std::string& file)>;

// At most one byte more than a document may have: enough to see that it is too large.
Result<Document> readDocument(const fs::path& path) {
    auto text = readFile(path, kMaxDocumentBytes + 1);
    if (!text) return std::move(text).error();
    return Document{path.string(), std::move(text).value()};
}

// Without a working directory there is nothing to be relative to, and the path stays as it is.
fs::path absoluteIfAny(const fs::path& path) {
    std::error_code ec;
    const fs::path out = fs::absolute(path, ec);
    return (ec ? path : out).lexically_normal();
}

void resolve(fs::path& path, const fs::path& base_dir) {
    if (!path.empty()) path = absoluteIfAny(base_dir / path);
}

// What a file says, or leaves out, is relative to its folder; what the environment says, to the working one.
void resolvePaths(const Node& tree, const fs::path& base_dir, Config& config) {
    resolve(config.plugins_dir, base_dir);
    resolve(config.plugins.state_dir, base_dir);
    const StoreUrl written = parseStoreUrl(config.store_url);
    if (written.kind != StoreUrl::Kind::Sqlite) return;
    const Node* store = tree.find("store");
    const Node* url = store ? store->find("url") : nullptr;
    fs::path path = written.path;
    resolve(path, url && url->literal ? fs::path() : base_dir);
    config.store_url = sqliteUrl(path.string());
}

Result<Config> build(const Document& settings, const fs::path& base_dir, const Environment& env,
                     const OpenProviders& open_providers) {
    Problems problems;
    Scope scope{env, problems};
    Config config;
    // Without a tree it is not known which providers file is meant: its problems would only mislead.
    auto tree = parseYaml(settings.text, settings.name, problems);
    if (!tree) return Error{ErrorClass::Config, problems.text()};
    overrideSettings(*tree, env);
    readSettings({*tree, "", scope}, config);
    resolvePaths(*tree, base_dir, config);

    if (open_providers) {
        const auto document = open_providers(config.providers_file);
        const Node* named = tree->find("providers_file");
        if (!document)
            problems.add(named ? named->mark : Mark{settings.name}, "providers_file",
                         document.error().message);
        else if (const auto providers = parseYaml(document->text, document->name, problems))
            readProviders({*providers, "", scope}, tree->find("provider_defaults"), config);
    }

    if (!problems.empty()) return Error{ErrorClass::Config, problems.text()};
    for (auto& warning : unusedVariables(env)) config.warnings.push_back(std::move(warning));
    return config;
}

}  // namespace

Environment processEnvironment() {
    Environment out;
    for (char** entry = environ; entry && *entry; ++entry) {
        const std::string_view text = *entry;
        const size_t equals = text.find('=');
        if (equals != std::string_view::npos)
            out.try_emplace(std::string(text.substr(0, equals)), text.substr(equals + 1));
    }
    return out;
}

Result<Config> load(const fs::path& stepper_yaml, const Environment& env, std::vector<fs::path>* files) {
    std::vector<fs::path> read = {stepper_yaml};
    const fs::path base_dir = stepper_yaml.parent_path();
    const auto settings = readDocument(stepper_yaml);
    auto config = settings ? build(*settings, base_dir, env,
                                   [&](const std::string& file) {
                                       read.push_back((base_dir / file).lexically_normal());
                                       return readDocument(read.back());
                                   })
                           : Result<Config>(settings.error());
    if (config) config->files = read;
    if (files) *files = std::move(read);
    return config;
}

Result<Config> loadSettings(const fs::path& stepper_yaml, const Environment& env) {
    const auto settings = readDocument(stepper_yaml);
    return settings ? build(*settings, stepper_yaml.parent_path(), env, {})
                    : Result<Config>(settings.error());
}

Result<Config> parse(const Sources& sources, const Environment& env) {
    return build({sources.stepper_name, sources.stepper_yaml}, sources.base_dir, env,
                 [&](const std::string&) -> Result<Document> {
                     return Document{sources.providers_name, sources.providers_yaml};
                 });
}

}  // namespace stepper::config
