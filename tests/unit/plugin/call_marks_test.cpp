// Whose calls ran when a process ended, as the next one learns it.
#include "core/plugin/isolation/call_marks.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/temporary_folder.h"

namespace stepper::plugin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kOne(64, '1'), kTwo(64, '2');

// A process that is killed inside of `calls`.
void dieIn(const std::filesystem::path& dir, const std::vector<std::string>& calls) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        CallMarks marks(dir);
        for (const auto& each : {kOne, kTwo}) {
            ++marks.of(each)->others;
            --marks.of(each)->others;
        }
        for (const auto& sha256 : calls) ++marks.of(sha256)->steps.at(7);
        ::raise(SIGKILL);
    }
    ::waitpid(pid, nullptr, 0);
}

TEST(CallMarks, TellsOnlyOfCallsThatRan) {
    const TemporaryFolder folder;
    EXPECT_THAT(CallMarks(folder.path()).died(), IsEmpty());
    dieIn(folder.path(), {});
    EXPECT_THAT(CallMarks(folder.path()).died(), IsEmpty());
    dieIn(folder.path(), {kTwo, kTwo});
    EXPECT_THAT(CallMarks(folder.path()).died(), ElementsAre(kTwo));
    EXPECT_THAT(CallMarks(folder.path()).died(), IsEmpty()) << "told once";
}

TEST(CallMarks, WhatAnotherStartOfTheMachineLeftIsNotBelieved) {
    const TemporaryFolder folder;
    dieIn(folder.path(), {kOne});
    std::fstream(folder.path() / "running-calls", std::ios::in | std::ios::out) << "another-boot";
    EXPECT_THAT(CallMarks(folder.path()).died(), IsEmpty());
}

TEST(CallMarks, WhatStillRunsAtAnOrderlyEndDiesOfThat) {
    const TemporaryFolder folder;
    {
        CallMarks marks(folder.path());
        ++marks.of(kOne)->others;
        marks.close();
    }
    EXPECT_THAT(CallMarks(folder.path()).died(), IsEmpty());
}

TEST(CallMarks, NeitherRoomNorAFolderIsNeeded) {
    const TemporaryFolder folder;
    CallMarks marks(folder.path()), nowhere(folder.path() / "none");
    for (int i = 0; i < 1'000; ++i) {
        const auto sha256 = std::to_string(i);
        EXPECT_EQ(marks.of(sha256) == nullptr, i >= 127) << i;
    }
    EXPECT_EQ(marks.of("5"), marks.of("5"));
    EXPECT_EQ(nowhere.of(kOne), nullptr);
    std::ofstream(folder.path() / "running-calls") << "short";
    EXPECT_THAT(CallMarks(folder.path()).died(), IsEmpty());
}

}  // namespace
}  // namespace stepper::plugin
