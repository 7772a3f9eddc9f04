#include "core/engine/classify.h"

#include <array>

namespace stepper::engine {
namespace {

using Kind = limits::Report::Kind;

struct Row {
    ErrorClass error_class;
    Verdict verdict;
};

// What tells of the request: a plugin that broke on it does, too. Of BAD_RESPONSE nobody knows before the
// answer is seen: a page of a proxy tells nothing, a model that says what it should not does. INVALID_REQUEST
// moves on: what one provider calls invalid (a parameter, a model's limit) another one takes.
constexpr std::array<Row, 16> kTable = {{
    {ErrorClass::InvalidRequest, {Next::NextProvider, Kind::Neutral, false, true, 400, "BAD_REQUEST"}},
    {ErrorClass::ContextTooLong, {Next::NextProvider, Kind::TooLarge, false, true, 400, "CONTEXT_LENGTH"}},
    {ErrorClass::ContentBlocked, {Next::Stop, Kind::Neutral, false, true, 422, "CONTENT_FILTERED"}},
    {ErrorClass::Auth, {Next::NextProvider, Kind::KeyRefused, false, false, 502, "AUTH"}},
    {ErrorClass::ModelNotFound, {Next::NextProvider, Kind::ModelMissing, false, false, 502, "BAD_REQUEST"}},
    {ErrorClass::RateLimited, {Next::NextProvider, Kind::RateLimited, true, false, 429, "RATE_LIMIT"}},
    {ErrorClass::Quota, {Next::NextProvider, Kind::QuotaExhausted, true, false, 429, "RATE_LIMIT"}},
    {ErrorClass::Overloaded, {Next::NextProvider, Kind::Failed, true, false, 503, "UPSTREAM_UNAVAILABLE"}},
    {ErrorClass::Upstream, {Next::NextProvider, Kind::Failed, true, false, 502, "UPSTREAM_UNAVAILABLE"}},
    {ErrorClass::Transport,
     {Next::NextProvider, Kind::Unreachable, true, false, 502, "UPSTREAM_UNAVAILABLE"}},
    {ErrorClass::Timeout, {Next::NextProvider, Kind::Unreachable, true, false, 504, "TIMEOUT"}},
    {ErrorClass::BadResponse, {Next::NextProvider, Kind::Failed, true, false, 502, "INVALID_RESPONSE"}},
    {ErrorClass::Unsupported, {Next::NextProvider, Kind::Neutral, false, true, 502, "BAD_REQUEST"}},
    {ErrorClass::Cancelled, {Next::Stop, Kind::Neutral, false, false, 499, "CANCELLED"}},
    {ErrorClass::Config, {Next::NextProvider, Kind::Neutral, false, false, 500, "UNKNOWN"}},
    {ErrorClass::Internal, {Next::NextProvider, Kind::Neutral, true, true, 500, "UNKNOWN"}},
}};

constexpr bool inOrder() {
    for (size_t i = 0; i < kTable.size(); ++i)
        if (static_cast<size_t>(kTable[i].error_class) != i + 1) return false;
    return true;
}
static_assert(inOrder(), "the table is indexed by class");

}  // namespace

const Verdict& verdictOn(ErrorClass c) { return kTable[static_cast<size_t>(c) - 1].verdict; }

}  // namespace stepper::engine
