#include "core/engine/outcome_story.h"

#include "core/base/text.h"
#include "core/base/units.h"

namespace stepper::engine {
namespace {

constexpr size_t kMostOfOne = 200, kMostOfAll = 2'000;

std::string lineOf(const AttemptRecord& r) {
    std::string out = r.provider + ": ";
    if (!r.skipped.empty()) out += r.skipped;
    if (r.error) {
        if (!r.skipped.empty()) out += ", ";
        out += std::string(utf8Prefix(r.error->message, kMostOfOne)) + " (" + std::string(r.error_code) + ")";
    }
    if (r.skipped.empty() && !r.error) out += "answered";
    if (r.retry_after) out += ", ready in " + formatDuration(*r.retry_after);
    return out;
}

}  // namespace

std::string storyOf(const std::vector<AttemptRecord>& attempts) {
    std::string out;
    for (const auto& record : attempts) {
        if (out.size() >= kMostOfAll) return out + "; ...";
        if (!out.empty()) out += "; ";
        out += lineOf(record);
    }
    return out;
}

}  // namespace stepper::engine
