#include "core/engine/outcome_story.h"

#include <gtest/gtest.h>

namespace stepper::engine {
namespace {

AttemptRecord failed(std::string provider, std::string message) {
    AttemptRecord out;
    out.provider = std::move(provider);
    out.error = Error{ErrorClass::Upstream, std::move(message)};
    out.error_code = "UPSTREAM_UNAVAILABLE";
    return out;
}

TEST(OutcomeStory, TellsOfEveryProviderInOneLine) {
    AttemptRecord limited, well;
    limited.provider = "two";
    limited.number = 0;
    limited.skipped = "rate_limited";
    limited.retry_after = milliseconds{7'000};
    well.provider = "three";
    EXPECT_EQ(storyOf({failed("one", "HTTP 503: down"), limited, well}),
              "one: HTTP 503: down (UPSTREAM_UNAVAILABLE); two: rate_limited, ready in 7s; three: answered");
    EXPECT_EQ(storyOf({}), "");
}

TEST(OutcomeStory, IsCutWhereItBecomesLong) {
    const std::vector<AttemptRecord> many(100, failed("one", std::string(5'000, 'x')));
    EXPECT_LE(storyOf(many).size(), 2'300u);
    EXPECT_TRUE(storyOf(many).ends_with("; ..."));
}

TEST(OutcomeStory, NoHalfOfASecretIsLeftWhereAWordIsCut) {
    const std::string token = "sk-proj-" + std::string(40, 'a') + "T3BlbkFJ" + std::string(40, 'b');
    for (size_t before = 100; before < 200; ++before) {
        const std::string story = storyOf({failed("one", std::string(before - 1, 'x') + " " + token)});
        EXPECT_EQ(story.find("sk-proj"), std::string::npos) << story;
    }
}

}  // namespace
}  // namespace stepper::engine
