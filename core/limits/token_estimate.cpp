#include "core/limits/token_estimate.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace stepper::limits {
namespace {

constexpr int kMemory = 16;  // the newest value weighs one in so many
// One token for every byte and a bit more is the worst of the usual tokenizers.
constexpr double kMostPerByte = 1.5;
// The other way round: English has a token in four bytes or a few more, and only dull repetition less than
// one in sixteen.
constexpr double kUsualPerByte = 0.25, kLeastPerByte = 1.0 / 16;
// Of the envelope, until answers have told: then it is in the averages, and one token too many for each
// request would leave room in every window that nothing fits into.
constexpr double kEnvelope = 8;
constexpr double kRounding = 1e-6;
// Shorter prompts tell more of the envelope than of the language.
constexpr uint64_t kTellingBytes = 64;

}  // namespace

void TokenEstimate::Average::add(double x) {
    count = std::min(count + 1, kMemory);
    const double surprise = x - mean;
    mean += surprise / count;
    if (count > 1) deviation += (std::abs(surprise) - deviation) / count;
}

Cost TokenEstimate::of(const Demand& demand) const {
    const double ratio = std::min(tokens_per_byte_.high(), kMostPerByte);
    const double envelope = tokens_per_byte_.count == 0 ? kEnvelope : 0;
    const auto up = [](double tokens) { return static_cast<int64_t>(std::ceil(tokens - kRounding)); };
    Cost out;
    out.tokens_in = up(ratio * static_cast<double>(demand.bytes) + envelope);
    out.tokens_out = up(answer_.high());
    if (demand.max_tokens) out.tokens_out = std::min(out.tokens_out, *demand.max_tokens);
    return out;
}

uint64_t TokenEstimate::mostBytes(int64_t tokens) const {
    // What was asked so far may have been denser than what comes now; in doubt the provider is asked.
    const double low =
        tokens_per_byte_.count == 0 ? kUsualPerByte : std::min(tokens_per_byte_.low(), kUsualPerByte);
    const double bytes = static_cast<double>(tokens) / std::max(low, kLeastPerByte);
    return bytes < 1e18 ? static_cast<uint64_t>(bytes) : std::numeric_limits<uint64_t>::max();
}

void TokenEstimate::learn(const Demand& demand, const Quotas::Actual& actual) {
    if (actual.tokens_in && *actual.tokens_in > 0 && demand.bytes >= kTellingBytes)
        tokens_per_byte_.add(std::min(
            static_cast<double>(*actual.tokens_in) / static_cast<double>(demand.bytes), kMostPerByte));
    if (actual.tokens_out && *actual.tokens_out >= 0) answer_.add(static_cast<double>(*actual.tokens_out));
}

}  // namespace stepper::limits
