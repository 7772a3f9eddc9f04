#include "core/engine/lesson.h"

#include <gtest/gtest.h>

#include "core/engine/classify.h"

namespace stepper::engine {
namespace {

using namespace std::chrono_literals;
using Kind = limits::Report::Kind;

class LessonTest : public testing::Test {
protected:
    LessonTest() { provider_.model = "m-1"; }
    limits::Report failing(ErrorClass c, bool out_of_time = false, std::string message = "said so") {
        Attempted got;
        got.error = Error{c, std::move(message)};
        got.error->retry_after = 3s;
        return lessonOf(got, request_, provider_, out_of_time);
    }

    GenerateRequest request_;
    config::Provider provider_;
};

TEST_F(LessonTest, AFailureIsWhatTheTableSays) {
    for (int i = 1; i <= static_cast<int>(ErrorClass::Internal); ++i) {
        const auto c = static_cast<ErrorClass>(i);
        EXPECT_EQ(failing(c).kind, verdictOn(c).report) << name(c);
        EXPECT_EQ(failing(c).retry_after, 3s);
    }
}

TEST_F(LessonTest, ABadAnswerIsOneOfAProviderThatWorks) {
    Attempted got;
    got.error = Error{ErrorClass::BadResponse, "the answer is empty"};
    got.concluded = true;
    got.answer.usage.prompt = 9;
    got.answer.usage.completion = 4;
    const auto lesson = lessonOf(got, request_, provider_, false);
    EXPECT_EQ(lesson.kind, Kind::Ok);
    EXPECT_EQ(lesson.tokens_in, 9);
    EXPECT_EQ(lesson.tokens_out, 4);
}

TEST_F(LessonTest, TheCallersTimeIsNotTheProviders) {
    EXPECT_EQ(failing(ErrorClass::Timeout, true).kind, Kind::Neutral);
    EXPECT_EQ(failing(ErrorClass::Transport, true).kind, Kind::Unreachable);
}

TEST_F(LessonTest, AnotherModelsTroubleIsNoneOfItsOwn) {
    request_.model = "m-2";
    EXPECT_EQ(failing(ErrorClass::ModelNotFound).kind, Kind::Neutral);
    EXPECT_EQ(failing(ErrorClass::ContextTooLong).kind, Kind::Neutral);
    EXPECT_EQ(failing(ErrorClass::RateLimited).kind, Kind::RateLimited);
    EXPECT_EQ(failing(ErrorClass::Auth).kind, Kind::KeyRefused);
    Attempted forbidden;
    forbidden.error = Error{ErrorClass::Auth, "not for this key"};
    forbidden.error->http_status = 403;
    EXPECT_EQ(lessonOf(forbidden, request_, provider_, false).kind, Kind::Neutral);
    request_.model = "m-1";
    EXPECT_EQ(lessonOf(forbidden, request_, provider_, false).kind, Kind::KeyRefused);
}

TEST_F(LessonTest, WordsOfAnExhaustedQuotaAreKept) {
    EXPECT_EQ(failing(ErrorClass::Quota, false, "check your billing").words, "check your billing");
    EXPECT_EQ(failing(ErrorClass::RateLimited, false, "slow down").words, "");
}

TEST_F(LessonTest, ALimitThatARefusalNamesIsLearned) {
    EXPECT_EQ(failing(ErrorClass::ContextTooLong, false,
                      "This model's maximum context length is 8192 tokens. However, your messages resulted "
                      "in 9000 tokens.")
                  .most_tokens,
              8192);
}

}  // namespace
}  // namespace stepper::engine
