#include "core/config/problems.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include <fmt/format.h>

namespace stepper::config {
namespace {

constexpr size_t kMostShown = 20;

}  // namespace

std::string describe(const Mark& m) {
    return m.line == 0 ? m.file : fmt::format("{}:{}:{}", m.file, m.line, m.column);
}

void Problems::add(const Mark& mark, std::string_view path, std::string_view what) {
    size_t rank = std::numeric_limits<size_t>::max();
    if (mark.line != 0) {
        const auto it = std::find(files_.begin(), files_.end(), mark.file);
        rank = static_cast<size_t>(it - files_.begin());
        if (it == files_.end()) files_.push_back(mark.file);
    }
    found_.push_back({rank, mark, std::string(path), std::string(what)});
}

std::string Problems::text() const {
    const auto place = [](const Problem& p) { return std::tie(p.file, p.mark.line, p.mark.column); };
    auto sorted = found_;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](const Problem& a, const Problem& b) { return place(a) < place(b); });

    std::vector<std::string> lines;
    const Problem* last = nullptr;
    size_t left_out = 0;
    for (const Problem& p : sorted) {
        if (last && place(*last) == place(p) && last->mark.file == p.mark.file && last->what == p.what)
            continue;
        last = &p;
        if (lines.size() == kMostShown)
            ++left_out;
        else
            lines.push_back(
                fmt::format("{}: {}{}{}", describe(p.mark), p.path, p.path.empty() ? "" : ": ", p.what));
    }
    if (left_out > 0) lines.push_back(fmt::format("and {} more", left_out));
    return fmt::format("{}", fmt::join(lines, "\n"));
}

}  // namespace stepper::config
