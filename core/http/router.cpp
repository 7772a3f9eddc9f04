#include "core/http/router.h"

#include <algorithm>

#include "core/base/result.h"
#include "core/http/target.h"

namespace stepper::http {
namespace {

bool isName(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
    return std::equal(
        pattern.begin(), pattern.end(), path.begin(), path.end(),
        [](const auto& want, const auto& got) { return isName(want) ? !got.empty() : want == got; });
}

void addMethod(std::string& allow, std::string_view method) {
    if (!allow.empty()) allow += ", ";
    allow += method;
}

void settle(Router::Match& out, const Route& route) {
    out.pattern = route.pattern;
    out.role = route.role;
}

}  // namespace

Router::Router(std::vector<Route> routes) {
    for (auto& route : routes) {
        auto target = parseTarget(route.pattern);
        STEPPER_ASSERT(target && route.pattern.starts_with('/'));
        const auto names = std::count_if(target->segments.begin(), target->segments.end(), isName);
        entries_.push_back({std::move(route), std::move(target->segments), static_cast<size_t>(names)});
    }
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const Entry& a, const Entry& b) { return a.names < b.names; });
}

Router::Match Router::find(std::string_view method, const std::vector<std::string>& segments) const {
    const auto wanted = method == "HEAD" ? "GET" : method;
    Match out;
    for (const auto& entry : entries_) {
        if (!fits(entry.segments, segments)) continue;
        addMethod(out.allow, entry.route.method);
        if (entry.route.method == "GET") addMethod(out.allow, "HEAD");
        if (out.pattern.empty()) settle(out, entry.route);
        if (out.route || entry.route.method != wanted) continue;
        out.route = &entry.route;
        settle(out, entry.route);
        for (size_t i = 0; i < segments.size(); ++i) {
            const std::string_view name = entry.segments[i];
            if (isName(name)) out.params.emplace_back(name.substr(1, name.size() - 2), segments[i]);
        }
    }
    if (!out.pattern.empty()) addMethod(out.allow, "OPTIONS");
    return out;
}

}  // namespace stepper::http
