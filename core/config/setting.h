// One row a setting: what there is to say of it is said there, and reading, showing, comparing, the
// environment's variables and the reference page come from it. Tables are built once and constant; any
// thread.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/config/kinds.h"

namespace stepper::config {

// The environment variable that wins over the file.
struct Variable {
    // Whose it is. Provider's: it begins with the provider's name in capitals, Account's: or with that of the
    // account it is behind.
    enum class Of { Nobody, Service, Provider, Account };
    std::string name;
    Of of = Of::Nobody;
    std::string unit;  // of a bare number
};

struct About {
    std::string path;  // "cache.delivery.reports"
    std::string type;  // what it may hold; empty: it is no key, for nobody writes what it shows
    std::string help;  // one line
    Variable variable = {};
    bool secret = false;
    bool required = false;
    bool restart = false;  // read when the process starts, and not again
    bool instead = false;  // of another key, or of what is found out: a file of defaults does not have it
    int shown_at = 0;      // its place among those beside it, which go by their rows where it is the same
};

template <class T>
struct Setting : About {
    std::function<void(const Value&, T&)> read;              // none: providers.cpp reads it
    std::function<json::Value(const T&, const View&)> show;  // none: others show it, or nothing needs to
    std::function<bool(const T&, const T&)> equal;           // there where `show` or `restart` is
    std::function<void(T& to, const T& from)> copy;          // there where `restart` is
    std::function<std::string(const T&)> write;              // as YAML; none: it has no default
};
template <class T>
using Settings = std::vector<Setting<T>>;

// What a row may say beside.
inline auto from(std::string name, std::string unit = "") {
    return [=](About& row) { row.variable = {name, Variable::Of::Service, unit}; };
}
inline auto fromAccounts(std::string name, std::string unit = "") {
    return [=](About& row) { row.variable = {name, Variable::Of::Account, unit}; };
}
inline auto fromOwn(std::string name) {
    return [=](About& row) { row.variable = {name, Variable::Of::Provider, ""}; };
}
inline auto shownAt(int place) {
    return [=](About& row) { row.shown_at = place; };
}
constexpr auto kAfterRestart = [](About& row) { row.restart = true; };
constexpr auto kInstead = [](About& row) { row.instead = true; };
constexpr auto kNeeded = [](About& row) { row.required = true; };
constexpr auto kHidden = [](About& row) { row.secret = true; };

template <class T, class M, class Kind, class... More>
Setting<T> setting(std::string path, M T::*member, Kind kind, std::string help, More... more) {
    Setting<T> row{{std::move(path), kind.type(), std::move(help)},
                   [=](const Value& v, T& owner) { kind.read(v, owner.*member); },
                   [=](const T& owner, const View& view) { return shown(kind, owner.*member, view); },
                   [=](const T& a, const T& b) { return a.*member == b.*member; },
                   [=](T& to, const T& from) { to.*member = from.*member; },
                   [=](const T& owner) { return written(kind, owner.*member); }};
    row.secret = std::is_same_v<M, Secret>;
    (more(row), ...);
    return row;
}

// A row that is read apart, or none at all, and shows what `get` makes of its owner.
template <class T, class M, class... More>
Setting<T> shownAs(std::string path, M (*get)(const T&), std::string type, std::string help, More... more) {
    Setting<T> row{{std::move(path), std::move(type), std::move(help)}, {}, {}, {}, {}, {}};
    row.show = [=](const T& owner, const View& view) { return view.of(get(owner)); };
    row.equal = [=](const T& a, const T& b) { return get(a) == get(b); };
    (more(row), ...);
    return row;
}

// The rows of a part, as its owner's.
template <class T, class Part>
Settings<T> section(const std::string& key, Part T::*part, const Settings<Part>& rows) {
    Settings<T> out;
    for (const Setting<Part>& row : rows) {
        Setting<T>& whole =
            out.emplace_back(Setting<T>{row,
                                        [=](const Value& v, T& owner) { row.read(v, owner.*part); },
                                        {},
                                        [=](const T& a, const T& b) { return row.equal(a.*part, b.*part); },
                                        [=](T& to, const T& from) { row.copy(to.*part, from.*part); },
                                        [=](const T& owner) { return row.write(owner.*part); }});
        whole.path = key + "." + row.path;
        if (row.show)
            whole.show = [=](const T& owner, const View& view) { return row.show(owner.*part, view); };
    }
    return out;
}

template <class T>
Settings<T> joined(std::initializer_list<Settings<T>> parts) {
    Settings<T> out;
    for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
    return out;
}

template <class T>
using Rows = std::span<const Setting<T>>;

// The rows below one key of a mapping: the one that is it, or those of a section.
template <class T>
struct Key {
    std::string name;
    Rows<T> rows;
    size_t below;  // where the keys of a section begin in its rows' paths

    bool isSection() const { return below < rows.front().path.size(); }
    const Setting<T>& row() const { return rows.front(); }
};

// Those of the mapping whose keys begin at `from` in the paths.
template <class T>
std::vector<Key<T>> keysOf(Rows<T> rows, size_t from = 0);

// What reads a mapping of these rows into `owner`. Both are to outlive it.
template <class T>
Fields fieldsOf(Rows<T> rows, T& owner, size_t from = 0);

// Adds what the rows show to an object.
template <class T>
void show(Rows<T> rows, const T& owner, const View& view, json::Value& object, size_t from = 0);
template <class T>
json::Value shownBy(Rows<T> rows, const T& owner, const View& view) {
    json::Value out(rapidjson::kObjectType);
    show(rows, owner, view, out);
    return out;
}

}  // namespace stepper::config
