// Where a stream of events goes on.
#include "core/api/job_events.h"

#include <gtest/gtest.h>

namespace stepper::api {
namespace {

store::Job at(int64_t version, store::JobState state = store::JobState::Done) {
    store::Job job;
    job.version = version;
    job.state = state;
    return job;
}

// NVIDIA-AI-Blueprints/aiq#272: one id for several events lost those after the first.
TEST(EventIds, OnlyTheResultIsTheEnd) {
    const auto job = at(3);
    const int64_t state = 12, progress = 13, result = 14;
    EXPECT_FALSE(sawAll(job, -1));
    EXPECT_FALSE(sawAll(job, state));
    EXPECT_FALSE(sawAll(job, progress));
    EXPECT_TRUE(sawAll(job, result));
    EXPECT_FALSE(sawAll(at(3, store::JobState::Leased), result));
}

TEST(EventIds, WhatIsNoneOfThisJobsCountsAsNone) {
    for (const auto* id : {"", "nonsense", "12x", " 12", "-1", "15", "99999", "99999999999999999999", "0x3"})
        EXPECT_EQ(lastSeen(id, at(3)), -1) << id;
    EXPECT_EQ(lastSeen("0", at(3)), 0);
    EXPECT_EQ(lastSeen("13", at(3)), 13);
    EXPECT_EQ(lastSeen("14", at(3)), 14);
}

}  // namespace
}  // namespace stepper::api
