#include "core/config/setting.h"

#include <algorithm>

namespace stepper::config {

template <class T>
std::vector<Key<T>> keysOf(Rows<T> rows, size_t from) {
    std::vector<Key<T>> out;
    for (size_t i = 0; i < rows.size(); ++i) {
        const std::string& path = rows[i].path;
        const size_t end = std::min(path.find('.', from), path.size());
        std::string name = path.substr(from, end - from);
        if (out.empty() || out.back().name != name)
            out.push_back({std::move(name), rows.subspan(i, 0), end + 1});
        out.back().rows = {out.back().rows.data(), out.back().rows.size() + 1};
    }
    return out;
}

template <class T>
Fields fieldsOf(Rows<T> rows, T& owner, size_t from) {
    Fields out;
    for (const Key<T>& key : keysOf(rows, from)) {
        const auto section = [key, &owner](const Value& v) {
            readMapping(v, fieldsOf(key.rows, owner, key.below));
        };
        const auto leaf = [&row = key.row(), &owner](const Value& v) { row.read(v, owner); };
        if (key.isSection())
            out.push_back({key.name, section});
        else if (!key.row().type.empty())
            out.push_back({key.name, key.row().read ? Read(leaf) : Read(), key.row().required});
    }
    return out;
}

template <class T>
void show(Rows<T> rows, const T& owner, const View& view, json::Value& object, size_t from) {
    auto keys = keysOf(rows, from);
    std::ranges::stable_sort(keys, {},
                             [](const Key<T>& key) { return key.isSection() ? 0 : key.row().shown_at; });
    for (const Key<T>& key : keys) {
        json::Value value;
        if (key.isSection())
            show(key.rows, owner, view, value.SetObject(), key.below);
        else if (key.row().show)
            value = key.row().show(owner, view);
        if (!value.IsNull()) json::set(object, key.name, std::move(value), view.memory);
    }
}

template std::vector<Key<Config>> keysOf(Rows<Config>, size_t);
template std::vector<Key<Provider>> keysOf(Rows<Provider>, size_t);
template Fields fieldsOf(Rows<Config>, Config&, size_t);
template Fields fieldsOf(Rows<Provider>, Provider&, size_t);
template Fields fieldsOf(Rows<Window>, Window&, size_t);
template Fields fieldsOf(Rows<Price>, Price&, size_t);
template void show(Rows<Config>, const Config&, const View&, json::Value&, size_t);
template void show(Rows<Provider>, const Provider&, const View&, json::Value&, size_t);
template void show(Rows<Window>, const Window&, const View&, json::Value&, size_t);
template void show(Rows<Price>, const Price&, const View&, json::Value&, size_t);

}  // namespace stepper::config
