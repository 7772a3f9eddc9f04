#include "core/plugin/isolation/child_process.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/base/descriptor.h"

namespace stepper::plugin {
namespace {

SteadyTime in(milliseconds time) { return std::chrono::steady_clock::now() + time; }

Descriptor fileWith(const std::string& text) {
    char name[] = "/tmp/stepper-handover-XXXXXX";
    Descriptor file(::mkstemp(name));
    ::unlink(name);
    EXPECT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

// From now on this thread and its children have no pidfd_open, as before Linux 5.3 and in old containers.
void forbidPidfd() {
    std::array<sock_filter, 4> program{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
                                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
    const sock_fprog filter{program.size(), program.data()};
    ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
    ASSERT_EQ(::syscall(SYS_pidfd_open, ::getpid(), 0), -1);
}

TEST(ChildProcess, DescriptorsThatTradePlacesArriveAsTheyShould) {
    const Descriptor a = fileWith("a"), b = fileWith("b");
    ASSERT_LT(std::max(a.get(), b.get()), 10) << "the shell reads one digit";
    const std::string script = "test \"$(cat <&" + std::to_string(b.get()) + ")\" = a && test \"$(cat <&" +
                               std::to_string(a.get()) + ")\" = b";
    const std::array<ChildProcess::Handover, 2> crossed{{{a.get(), b.get()}, {b.get(), a.get()}}};
    auto child = ChildProcess::spawn({"/bin/sh", "-c", script}, crossed, ChildProcess::Ends::WithSignals);
    ASSERT_TRUE(child) << child.error().message;
    const auto status = child->end(in(milliseconds{10'000}));
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(*status, 0);
}

TEST(ChildProcess, IsAwaitedWherePidfdsAreForbidden) {
    std::thread([] {
        forbidPidfd();
        auto child = ChildProcess::spawn({"/bin/sh", "-c", "exit 7"}, {}, ChildProcess::Ends::WithSignals);
        ASSERT_TRUE(child) << child.error().message;
        const auto status = child->end(in(milliseconds{10'000}));
        ASSERT_TRUE(status.has_value()) << "it left by itself";
        EXPECT_EQ(WEXITSTATUS(*status), 7);
        auto hanging = ChildProcess::spawn({"/bin/sleep", "100"}, {}, ChildProcess::Ends::WithSignals);
        ASSERT_TRUE(hanging) << hanging.error().message;
        EXPECT_FALSE(hanging->end(in(milliseconds{50})).has_value()) << "it was killed";
    }).join();
}

}  // namespace
}  // namespace stepper::plugin
