#include "core/engine/classify.h"

#include <gtest/gtest.h>

namespace stepper::engine {
namespace {

using Kind = limits::Report::Kind;

struct Row {
    ErrorClass error_class;
    Next next;
    Kind report;
    bool job_retries, of_request;
    int status;
    const char* code;
};

// Written out a second time on purpose: a change of the table must be meant.
constexpr Row kRows[] = {
    {ErrorClass::InvalidRequest, Next::NextProvider, Kind::Neutral, false, true, 400, "BAD_REQUEST"},
    {ErrorClass::ContextTooLong, Next::NextProvider, Kind::TooLarge, false, true, 400, "CONTEXT_LENGTH"},
    {ErrorClass::ContentBlocked, Next::Stop, Kind::Neutral, false, true, 422, "CONTENT_FILTERED"},
    {ErrorClass::Auth, Next::NextProvider, Kind::KeyRefused, false, false, 502, "AUTH"},
    {ErrorClass::ModelNotFound, Next::NextProvider, Kind::ModelMissing, false, false, 502, "BAD_REQUEST"},
    {ErrorClass::RateLimited, Next::NextProvider, Kind::RateLimited, true, false, 429, "RATE_LIMIT"},
    {ErrorClass::Quota, Next::NextProvider, Kind::QuotaExhausted, true, false, 429, "RATE_LIMIT"},
    {ErrorClass::Overloaded, Next::NextProvider, Kind::Failed, true, false, 503, "UPSTREAM_UNAVAILABLE"},
    {ErrorClass::Upstream, Next::NextProvider, Kind::Failed, true, false, 502, "UPSTREAM_UNAVAILABLE"},
    {ErrorClass::Transport, Next::NextProvider, Kind::Unreachable, true, false, 502, "UPSTREAM_UNAVAILABLE"},
    {ErrorClass::Timeout, Next::NextProvider, Kind::Unreachable, true, false, 504, "TIMEOUT"},
    {ErrorClass::BadResponse, Next::NextProvider, Kind::Failed, true, false, 502, "INVALID_RESPONSE"},
    {ErrorClass::Unsupported, Next::NextProvider, Kind::Neutral, false, true, 502, "BAD_REQUEST"},
    {ErrorClass::Cancelled, Next::Stop, Kind::Neutral, false, false, 499, "CANCELLED"},
    {ErrorClass::Config, Next::NextProvider, Kind::Neutral, false, false, 500, "UNKNOWN"},
    {ErrorClass::Internal, Next::NextProvider, Kind::Neutral, true, true, 500, "UNKNOWN"},
};

TEST(Classify, RowByRow) {
    for (const Row& row : kRows) {
        const Verdict& v = verdictOn(row.error_class);
        SCOPED_TRACE(std::string(name(row.error_class)));
        EXPECT_EQ(v.next, row.next);
        EXPECT_EQ(v.report, row.report);
        EXPECT_EQ(v.job_retries, row.job_retries);
        EXPECT_EQ(v.of_request, row.of_request);
        EXPECT_EQ(v.http_status, row.status);
        EXPECT_EQ(v.wire_code, row.code);
    }
}

}  // namespace
}  // namespace stepper::engine
