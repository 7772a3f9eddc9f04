// What misbehaving plugins cost: each misdeed in the probe, in the host's own process, and in a process of
// its own. The same table, in words, is in sdk/README.md.
#include <algorithm>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/temporary_folder.h"
#include "core/plugin/isolation/process_state.h"
#include "core/plugin/isolation/strays.h"
#include "core/plugin/proving/child_probe.h"
#include "tests/unit/plugin/isolated.h"

namespace stepper::plugin {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

// It would cost this process: nothing contains it there.
constexpr const char* kFatal = nullptr;
constexpr const char* kNothing = "";

struct Row {
    const char* misdeed;
    const char* probe;   // why its probe refuses it; kNothing: it is let through
    const char* here;    // what is held against it here; kNothing: nothing is
    const char* apart;   // how its call fails in a process of its own; kNothing: it answers
    bool stays = false;  // what it did here cannot be put back
};

constexpr Row kTable[] = {
    {"closes the standard streams", "it closed descriptor 0", "it closed descriptor 2", kNothing},
    {"replaces standard error", "descriptor 2 was", "descriptor 2 was", kNothing},
    {"closes all descriptors", "failed its probe", kFatal, "ended its own process (exit status 1)"},
    {"leaves a descriptor open", "it left descriptor", kNothing, kNothing},
    {"lowers the limit of descriptors", "the limit NOFILE was", "the limit NOFILE was", kNothing},
    {"lowers the limit of file sizes", "the limit FSIZE was", "the limit FSIZE was", kNothing},
    {"lowers the limit of the stack", "the limit STACK was", "the limit STACK was", kNothing},
    {"sets the locale", "the locale was C", "the locale was C", kNothing},
    {"sets the locale of the thread", "the locale of the thread", "the locale of the thread", kNothing},
    {"clears the environment", "it removed environment variable", "it removed environment variable",
     kNothing},
    {"sets a variable", "it set environment variable MISFIT", "it set environment variable MISFIT", kNothing},
    {"changes the directory", "the working directory was", "the working directory was", kNothing},
    {"changes the umask", "the umask was", "the umask was", kNothing},
    {"ignores SIGTERM", "signal 15 was the default and is ignored", "signal 15 was the default", kNothing},
    {"ignores SIGCHLD", "signal 17 was the default and is ignored", "signal 17 was the default", kNothing},
    {"handles SIGUSR1", "signal 10 was the default and is a handler", "signal 10 was", kNothing},
    {"blocks signals", "the set of blocked signals was", "the set of blocked signals was", kNothing},
    {"arms an alarm", "the real interval timer was off", "the real interval timer was off", kNothing},
    {"arms a profiling timer", "the profiling interval timer", "the profiling interval timer", kNothing},
    {"makes a timer", "the number of POSIX timers was 0 and is 1", kNothing, kNothing},
    {"rounds up", "the rounding mode was", "the rounding mode was", kNothing},
    {"traps divisions by zero", "trapping floating-point", "trapping floating-point", kNothing},
    {"flushes small numbers", "was 0x", "was 0x", kNothing},
    {"lowers its priority", "the priority was", "the priority was", kNothing, true},
    {"changes its scheduling", "the scheduling policy was", "the scheduling policy was", kNothing, true},
    {"hides from debuggers", "dumpable was 1 and is 0", kFatal, kNothing},
    {"gives up privileges", "no_new_privs was 0 and is 1", kFatal, kNothing},
    {"filters system calls", "the seccomp mode was", kFatal, kNothing},
    {"locks memory", "locked memory was", "locked memory was", kNothing, true},
    {"keeps capabilities", "keepcaps was 0 and is 1", "keepcaps was 0 and is 1", kNothing, true},
    {"is lazy with timers", "the timer slack was", "the timer slack was", kNothing, true},
    {"adopts no orphans", "child_subreaper was 1", "child_subreaper was 1", kNothing, true},
    {"outlives its parent", "the signal of the parent's death", "the signal of the parent's death", kNothing,
     true},
    {"changes its personality", "the personality was", "the personality was", kNothing, true},
    {"offers itself to the killer", "oom_score_adj was", "oom_score_adj was", kNothing, true},
    {"swaps stdout", "what stdout is was", kFatal, kNothing},
    {"leaves a thread", "left a thread running", kNothing, kNothing},
    {"leaves a process", "started 1 process(es)", kNothing, kNothing},
    {"leaves a daemon", "process(es) and left them running", kNothing, kNothing},
    {"leaves a command", "process(es) and left them running", kNothing, kNothing},
    {"hides a command", "process(es) and left them running", kNothing, kNothing},
    {"calls exit", "called exit(0)", kFatal, "(exit status 0)"},
    {"calls _exit", "called _exit(0)", kFatal, "(exit status 0)"},
    {"calls quick_exit", "called quick_exit(0)", kFatal, "(exit status 0)"},
    {"ends by a system call", "ended without a description", kFatal, "(exit status 0)"},
    {"hangs at exit", "hung while being probed", kFatal, kNothing},
    {"aborts", "crashed while being probed (signal 6)", kFatal, "crashed in its own process (signal 6)"},
    {"crashes", "crashed while being probed (signal 11)", kFatal, "crashed in its own process (signal 11)"},
    {"overflows the stack", "crashed while being probed (signal 11)", kFatal, "(signal 11)"},
    {"kills itself", "crashed while being probed (signal 9)", kFatal,
     "crashed in its own process (signal 9)"},
    {"stops itself", "hung while being probed", kFatal, "hung in its own process"},
    {"hangs", "hung while being probed", kFatal, "hung in its own process"},
    {"makes noise", kNothing, kFatal, kFatal},
    {"writes everywhere", kNothing, kFatal, "sent garbage"},
};

bool waitsForTheEnd(const Row& row) {
    const std::string name = row.misdeed;
    return name == "hangs" || name == "stops itself" || name == "hangs at exit";
}

milliseconds patienceFor(const Row& row) { return milliseconds{waitsForTheEnd(row) ? 4'000 : 20'000}; }

std::string deed(const Row& row) { return std::string(R"({"do":"misdeed=)") + row.misdeed + R"(;"})"; }

std::string ask(Instance& instance, const Row& row) {
    auto session = instance.begin(Purpose::Generate, deed(row));
    if (!session) return session.error().message;
    const auto seen = step(**session, eventOf(STEPPER_EV_START));
    return seen.result ? seen.text : seen.result.error().message;
}

class Misfit : public testing::TestWithParam<Row> {
protected:
    const TemporaryCopy copy_{MISFIT};
};

TEST_P(Misfit, IsRefusedByItsProbe) {
    const Row& row = GetParam();
    if (std::string_view(row.misdeed) == "makes a timer" && !fs::exists("/proc/self/timers"))
        GTEST_SKIP() << "this kernel does not tell of timers";
    const Trial trial{{{"misfit", {deed(row)}}}, {}};
    const auto tried = probeInChild(STEPPER_PROGRAM, PrivateCopy(copy_.path()), trial, patienceFor(row));
    EXPECT_THAT(tried ? std::string() : tried.error().message,
                *row.probe ? testing::Matcher<std::string>(HasSubstr(row.probe)) : IsEmpty());
    EXPECT_THAT(childrenHere(), IsEmpty()) << "it has left a process";
}

TEST_P(Misfit, IsNoticedHereAndPutRight) {
    const Row& row = GetParam();
    if (row.here == kFatal) GTEST_SKIP() << "only a process of its own contains that";
    adoptStrays();
    LoadOptions options;
    const TemporaryFolder copies;
    options.copies_dir = copies.path();
    options.errands = std::make_shared<Errands>(milliseconds{60'000}, [] {});
    const auto image = PluginImage::load(copy_.path(), options).value();
    const auto instance = createInProcess(image, "{}").value();
    const auto before = ProcessState::shared();
    EXPECT_EQ(ask(*instance, row), "well");
    EXPECT_THAT(image->conduct().accusation().value_or(""),
                *row.here ? testing::Matcher<std::string>(HasSubstr(row.here)) : IsEmpty());
    const auto lasting = before.changesTo(ProcessState::shared());
    EXPECT_EQ(lasting.empty(), !row.stays) << testing::PrintToString(lasting);
    ChildProcess::endStrays();
    EXPECT_THAT(childrenHere(), IsEmpty());
}

TEST_P(Misfit, CostsNobodyElseInAProcessOfItsOwn) {
    const Row& row = GetParam();
    if (row.apart == kFatal) GTEST_SKIP() << "it fills the output of this test";
    RemoteOptions options = remoteOptions();
    options.step_timeout = patienceFor(row);
    const auto before = ProcessState::shared();
    auto instance = isolated(MISFIT, "{}", options);
    EXPECT_THAT(ask(*instance, row), HasSubstr(*row.apart ? row.apart : "well"));
    instance.reset();
    EXPECT_THAT(before.changesTo(ProcessState::shared()), IsEmpty());
    EXPECT_THAT(childrenHere(), IsEmpty()) << "it has left a process";
}

// While calls of two run nobody can tell whose deed it was.
TEST(Misfits, AreNotMistakenForEachOther) {
    static constexpr Row kRow{"changes the directory", "", "", ""};
    const TemporaryCopy file{MISFIT};
    const TemporaryFolder folders[2];
    std::vector<std::shared_ptr<const PluginImage>> images;
    std::vector<std::unique_ptr<Instance>> instances;
    for (const auto& copies : folders) {
        LoadOptions options;
        options.copies_dir = copies.path();
        options.errands = std::make_shared<Errands>(milliseconds{60'000}, [] {});
        images.push_back(PluginImage::load(file.path(), options).value());
        instances.push_back(createInProcess(images.back(), "{}").value());
    }
    const auto before = ProcessState::shared();
    const auto outer = instances[0]->begin(Purpose::Generate, "{}").value();
    stepper_event event = eventOf(STEPPER_EV_START);
    stepper_action action{};
    struct Inner {
        Instance& instance;
        std::string answer;
    } inner{*instances[1], ""};
    event.sink = &inner;
    event.emit = [](void* sink, int32_t, stepper_str) {
        auto& in = *static_cast<Inner*>(sink);
        in.answer = ask(in.instance, kRow);
    };
    ASSERT_TRUE(outer->step(event, action));
    EXPECT_EQ(inner.answer, "well");
    for (const auto& image : images) EXPECT_EQ(image->conduct().accusation(), std::nullopt);
    EXPECT_THAT(before.changesTo(ProcessState::shared()), IsEmpty());
    EXPECT_EQ(ask(*instances[1], kRow), "well");
    EXPECT_THAT(images[1]->conduct().accusation().value_or(""), HasSubstr("working directory"));
    EXPECT_EQ(images[0]->conduct().accusation(), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Table, Misfit, testing::ValuesIn(kTable), [](const auto& row) {
    std::string name = row.param.misdeed;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == ' ' || c == '_'; }, 'x');
    return name;
});

}  // namespace
}  // namespace stepper::plugin
