#include "core/plugin/catalog.h"

#include <algorithm>
#include <system_error>

namespace stepper::plugin {
namespace fs = std::filesystem;

std::vector<std::string> Catalog::kinds() const {
    std::vector<std::string> out;
    for (const auto& [kind, image] : by_kind) out.push_back(kind);
    return out;
}

Catalog loadCatalog(const fs::path& dir, const LoadOptions& options) {
    Catalog out;
    std::error_code ec;
    std::vector<fs::path> files;
    fs::directory_iterator it(dir, ec);
    for (; !ec && it != fs::directory_iterator{}; it.increment(ec))
        if (it->path().extension() == ".so") files.push_back(it->path());
    if (ec) out.refused.push_back({dir, "the plugins folder cannot be read: " + ec.message()});
    std::sort(files.begin(), files.end());

    for (const auto& file : files) {
        auto image = PluginImage::load(file, options);
        if (!image) {
            out.refused.push_back({file, image.error().message});
            continue;
        }
        const auto [kept, is_new] = out.by_kind.emplace((*image)->kind(), *image);
        if (!is_new)
            out.refused.push_back(
                {file, "kind " + kept->first + " is already provided by " + kept->second->file().string()});
    }
    return out;
}

}  // namespace stepper::plugin
