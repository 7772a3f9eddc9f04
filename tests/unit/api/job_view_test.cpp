#include "core/api/job_view.h"

#include <gtest/gtest.h>

namespace stepper::api {
namespace {

using jobs::RequestKind;
using store::JobState;

constexpr const char* kAnswerMeta =
    R"({"provider":"one","fallback":false,"validated":true,"timings":{"totalMs":5},"providersAttempted":[]})";

std::string view(const store::Job& job, const std::vector<store::BatchItem>& items = {}) {
    return jobJson(job, items, WallTime{});
}

store::Job in(JobState state) {
    store::Job job;
    job.id = "j";
    job.state = state;
    return job;
}

TEST(JobView, Waiting) {
    EXPECT_EQ(view(in(JobState::Ready)),
              R"({"id":"j","status":"queued","rawStatus":"waiting","contractVersion":"1","progress":0})");
}

TEST(JobView, DelayedSaysUntilWhen) {
    auto job = in(JobState::Delayed);
    job.run_at = WallTime{} + milliseconds{6'500};
    EXPECT_EQ(view(job), R"({"id":"j","status":"queued","rawStatus":"delayed","contractVersion":"1",)"
                         R"("progress":0,"retryAfterSeconds":7})");
}

TEST(JobView, Completed) {
    auto job = in(JobState::Done);
    job.result = R"({"a":1})";
    job.meta = kAnswerMeta;
    EXPECT_EQ(view(job),
              R"({"id":"j","status":"completed","rawStatus":"completed","contractVersion":"1",)"
              R"("progress":100,"data":{"result":{"a":1},"usedProvider":"one",)"
              R"("providersAttempted":[],"fallback":false,"validated":true,"timings":{"totalMs":5}}})");
}

constexpr const char* kWholeMeta =
    R"({"provider":"one","fallback":false,"validated":true,"timings":{"totalMs":5},"providersAttempted":[],)"
    R"("finishReason":"length","model":"m","usage":{"promptTokens":3},"cost":0.5,"truncated":true,)"
    R"("repaired":true,"warnings":["of the answer"]})";
constexpr const char* kEnding =
    R"("finishReason":"length","model":"m","usage":{"promptTokens":3},"cost":0.5,)"
    R"("truncated":true,"repaired":true,)";

TEST(JobView, TheProvidersEndingStandsBesideTheResult) {
    auto job = in(JobState::Done);
    job.result = "1";
    job.meta = kWholeMeta;
    const auto shown = jobJson(job, {}, WallTime{}, {"of the request"});
    EXPECT_NE(shown.find(R"("progress":100,"warnings":["of the request"],"data":{"result":1,)"),
              std::string::npos)
        << shown;
    EXPECT_NE(shown.find(kEnding), std::string::npos) << shown;
    EXPECT_NE(shown.find(R"("warnings":["of the answer"]}})"), std::string::npos) << shown;
}

TEST(JobView, AHitHasTheAnswersEndingAndTheWarningsOfBoth) {
    store::CachedAnswer answer;
    answer.result = "1";
    answer.meta = kWholeMeta;
    const auto shown = cachedJson(answer, false, RequestKind::Report, {"of the request"});
    EXPECT_NE(shown.find(kEnding), std::string::npos) << shown;
    EXPECT_NE(shown.find(R"("warnings":["of the request","of the answer"])"), std::string::npos) << shown;
}

TEST(JobView, ABatchShowsWhatItWasStoredWith) {
    EXPECT_EQ(batchMeta({}), "");
    auto job = in(JobState::Open);
    job.total = 1;
    job.meta = batchMeta({"items[0].x is ignored"});
    EXPECT_NE(view(job).find(R"("warnings":["items[0].x is ignored"])"), std::string::npos) << view(job);
}

TEST(JobView, FailedCarriesItsFailure) {
    auto job = in(JobState::Failed);
    job.progress = 40;
    job.meta = R"({"errorCode":"TIMEOUT","message":"too slow","retryable":true,"providersAttempted":[]})";
    EXPECT_EQ(view(job),
              R"({"id":"j","status":"failed","rawStatus":"failed","contractVersion":"1","progress":40,)"
              R"("error":"too slow","failure":)" +
                  job.meta + "}");
}

TEST(JobView, ABatchCountsWhileItRunsAndHasItsItemsInTheEnd) {
    auto job = in(JobState::Open);
    job.total = 3;
    EXPECT_EQ(view(job), R"({"id":"j","status":"queued","rawStatus":"waiting","contractVersion":"1",)"
                         R"("progress":{"done":0,"total":3}})");
    job.done = 1;
    EXPECT_NE(view(job).find(R"("status":"active","rawStatus":"active")"), std::string::npos);
    job.state = JobState::Done;
    job.failed = 2;
    const std::vector<store::BatchItem> items = {
        {"x", JobState::Done, "5", kAnswerMeta},
        {"y", JobState::Failed, "", R"({"errorCode":"AUTH","message":"m","retryable":false})"},
        {"z", JobState::Cancelled, "", ""}};
    EXPECT_EQ(
        view(job, items),
        R"({"id":"j","status":"completed","rawStatus":"completed","contractVersion":"1",)"
        R"("progress":{"done":3,"total":3},"data":{"items":[)"
        R"({"id":"x","index":0,"status":"completed","data":5,"metadata":)" +
            std::string(kAnswerMeta) +
            R"(},{"id":"y","index":1,"status":"failed","failure":{"errorCode":"AUTH","message":"m","retryable":false}},)"
            R"({"id":"z","index":2,"status":"cancelled","failure":{"errorCode":"CANCELLED",)"
            R"("message":"The item was cancelled.","retryable":true}}],"total":3,"completed":1,"failed":2}})");
}

TEST(JobView, CachedAnswers) {
    store::CachedAnswer answer;
    answer.result = "[1]";
    answer.meta = kAnswerMeta;
    EXPECT_EQ(cachedJson(answer, true, RequestKind::Generate),
              R"({"status":"completed","cached":true,"stale":true,"data":[1],"metadata":{"provider":"one",)"
              R"("fallback":false,"validated":true,"contractVersion":"1","timings":{"totalMs":5}}})");
    EXPECT_EQ(
        cachedJson(answer, false, RequestKind::Report),
        R"({"status":"completed","cached":true,"data":[1],"metadata":{"provider":"one","fallback":false,)"
        R"("timings":{"totalMs":5}}})");
}

TEST(JobView, EveryStateOfTheListIsKnown) {
    for (const auto* word : {"queued", "waiting", "delayed", "active", "completed", "failed", "cancelled"})
        EXPECT_TRUE(filterNamed(word)) << word;
    EXPECT_FALSE(filterNamed("done"));
    EXPECT_FALSE(filterNamed(""));
}

}  // namespace
}  // namespace stepper::api
