#include "core/engine/outcome_story.h"

#include "core/base/text.h"
#include "core/base/units.h"
#include "core/secrets/redact.h"

namespace stepper::engine {
namespace {

constexpr size_t kMostOfOne = 200, kMostOfAll = 2'000;

std::string lineOf(const AttemptRecord& r) {
    std::string out = r.provider + ": ";
    if (!r.skipped.empty()) out += r.skipped;
    if (r.error) {
        if (!r.skipped.empty()) out += ", ";
        // The half of a secret that a cut leaves would not be known for one.
        const std::string words = secrets::redact(r.error->message);
        out.append(utf8Prefix(words, kMostOfOne)).append(" (").append(r.error_code).append(")");
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
