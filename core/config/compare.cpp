#include "core/config/compare.h"

#include <algorithm>

#include "core/config/settings.h"

namespace stepper::config {
namespace {

// The paths of what differs below `path`: leaves, and lists as a whole.
void collect(const json::Value* from, const json::Value* to, const std::string& path,
             std::vector<std::string>& out) {
    if (from && to && *from == *to) return;
    if (!from || !to || !from->IsObject() || !to->IsObject()) {
        out.push_back(path);
        return;
    }
    const auto below = [&](std::string_view key) {
        return path.empty() ? std::string(key) : path + "." + std::string(key);
    };
    for (const auto& m : from->GetObject())
        collect(&m.value, json::find(*to, json::view(m.name)), below(json::view(m.name)), out);
    for (const auto& m : to->GetObject())
        if (!json::find(*from, json::view(m.name))) out.push_back(below(json::view(m.name)));
}

bool isIn(const std::vector<std::string>& told, const std::string& path) {
    return std::ranges::any_of(told, [&](const auto& t) { return t == path || t.starts_with(path + "."); });
}

// The values decide whether anything differs; what is shown of them, in which words.
template <class T>
std::vector<std::string> changed(Rows<T> rows, const T& from, const T& to) {
    std::vector<std::string> unequal, out;
    for (const auto& row : rows)
        if (row.show && !row.equal(from, to)) unequal.push_back(row.path);
    if (unequal.empty()) return out;
    json::Document memory;
    const View view{memory.GetAllocator(), Secrets::Digested};
    const auto before = shownBy(rows, from, view), after = shownBy(rows, to, view);
    collect(&before, &after, "", out);
    std::ranges::copy_if(unequal, std::back_inserter(out),
                         [&](const auto& path) { return !isIn(out, path); });
    return out;
}

const Provider* named(const std::vector<Provider>& providers, const std::string& name) {
    const auto it = std::ranges::find(providers, name, &Provider::name);
    return it == providers.end() ? nullptr : &*it;
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
    return out;
}

// The names that are in both, in the order of `list`.
std::vector<std::string> orderOf(const std::vector<Provider>& list, const std::vector<Provider>& other) {
    std::vector<std::string> out;
    for (const auto& p : list)
        if (named(other, p.name)) out.push_back(p.name);
    return out;
}

void compareProviders(const std::vector<Provider>& from, const std::vector<Provider>& to,
                      std::vector<std::string>& out) {
    for (const auto& p : from)
        if (!named(to, p.name)) out.push_back("provider " + p.name + " removed");
    for (const auto& p : to) {
        const Provider* before = named(from, p.name);
        const auto keys = before ? changed(providerSettings(), *before, p) : std::vector<std::string>();
        if (!before) out.push_back("provider " + p.name + " added");
        if (!keys.empty()) out.push_back("provider " + p.name + " changed: " + joined(keys));
    }
    if (orderOf(from, to) != orderOf(to, from)) out.push_back("the order of the providers changed");
}

}  // namespace

std::vector<std::string> differences(const Config& from, const Config& to) {
    std::vector<std::string> out;
    compareProviders(from.providers, to.providers, out);
    for (const auto* rows : {&settings(), &catalogueSettings()})
        for (const auto& key : changed<Config>(*rows, from, to)) out.push_back(key + " changed");
    return out;
}

std::vector<std::string> keepFixed(Config& next, const Config& running) {
    std::vector<std::string> out;
    for (const auto& row : settings()) {
        if (!row.restart || row.equal(next, running)) continue;
        row.copy(next, running);
        out.push_back(row.path);
    }
    return out;
}

}  // namespace stepper::config
