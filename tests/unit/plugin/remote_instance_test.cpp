// A plugin in a process of its own answers as it does in this one, and whatever it does there costs its host
// an error at most.
#include "core/plugin/isolation/remote_instance.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/plugin/isolation/remote_wire.h"
#include "tests/unit/plugin/isolated.h"

namespace stepper::plugin {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(Remote, AnswersAsInThisProcess) {
    const auto here = inProcess(WOBBLY);
    const auto there = isolated(WOBBLY);
    stepper_kv headers[] = {
        {{"date", 4}, {"today", 5}}, {{"x-empty", 7}, {"", 0}}, {{"x-none", 6}, {nullptr, 0}}};
    stepper_event head = eventOf(STEPPER_EV_HEAD);
    head.http_status = 200;
    head.headers = headers;
    head.header_count = 3;
    head.now_ms = 123'456'789'012;
    stepper_event io_error = eventOf(STEPPER_EV_IO_ERROR, "reset");
    io_error.io_error = STEPPER_E_TRANSPORT;
    stepper_event named = eventOf(STEPPER_EV_DATA, "payload");
    named.name = {"delta", 5};
    const std::string large(1u << 20, 'x');
    const std::string larger(20u << 20, 'y');
    const stepper_event events[] = {eventOf(STEPPER_EV_START),
                                    head,
                                    named,
                                    eventOf(STEPPER_EV_DATA, large),
                                    eventOf(STEPPER_EV_DATA, larger),
                                    eventOf(STEPPER_EV_DATA),
                                    eventOf(STEPPER_EV_DATA, std::string_view("\0\xff", 2)),
                                    eventOf(STEPPER_EV_END),
                                    eventOf(STEPPER_EV_TIMER),
                                    io_error,
                                    eventOf(STEPPER_EV_CANCEL)};
    for (const std::string& request : {std::string("echo "), "echo " + large}) {
        const auto a = here->begin(Purpose::Generate, request), b = there->begin(Purpose::Generate, request);
        ASSERT_TRUE(a && b);
        for (const auto& event : events) {
            const Shown expected = step(**a, event), actual = step(**b, event);
            EXPECT_TRUE(expected.all == actual.all)
                << "event " << event.kind << ": " << actual.all.substr(0, 1'000);
        }
    }
}

TEST(Remote, BreaksRulesAndRefusesAsInThisProcess) {
    const auto here = inProcess(WOBBLY);
    const auto there = isolated(WOBBLY);
    const std::string_view long_refusal = "refuse at length";
    const std::string_view requests[] = {
        "wrong emit",  "wrong message", "wrong headers",     "too many headers", "many", "throw",
        "begin throw", "refuse",        "refuse in silence", long_refusal,       "say a"};
    for (const auto request : requests) {
        const auto a = here->begin(Purpose::Generate, request), b = there->begin(Purpose::Generate, request);
        ASSERT_EQ(a.ok(), b.ok()) << request;
        if (a) {
            EXPECT_EQ(step(**a, eventOf(STEPPER_EV_START)).all, step(**b, eventOf(STEPPER_EV_START)).all)
                << request;
            continue;
        }
        EXPECT_EQ(a.error().error_class, b.error().error_class) << request;
        if (request != long_refusal) {
            EXPECT_EQ(a.error().message, b.error().message);
        }
        EXPECT_LE(b.error().message.size(), 4'096u);
    }
    EXPECT_EQ(said(*there, "job", Purpose::Models), "3");
    EXPECT_EQ(said(*there, "say a"), "a");
}

TEST(Remote, TheExamplesAnswerAsInThisProcess) {
    const std::string config = R"({"base_url":"http://127.0.0.1:1"})";
    const std::string request = R"({"messages":[{"role":"user","content":"hello"}]})";
    for (const char* file : {SHOUT, ECHO}) {
        const auto here = inProcess(file, config), there = isolated(file, config);
        const auto a = here->begin(Purpose::Generate, request), b = there->begin(Purpose::Generate, request);
        ASSERT_TRUE(a && b);
        stepper_event head = eventOf(STEPPER_EV_HEAD);
        head.http_status = 200;
        for (const auto& event :
             {eventOf(STEPPER_EV_START), head, eventOf(STEPPER_EV_DATA, R"({"shouted":"HELLO"})"),
              eventOf(STEPPER_EV_END)})
            EXPECT_EQ(step(**a, event).all, step(**b, event).all) << file << " " << event.kind;
        EXPECT_EQ(here->begin(Purpose::Models, request).error().message,
                  there->begin(Purpose::Models, request).error().message);
    }
}

TEST(Remote, CreateSaysWhatIsWrong) {
    const std::pair<const char*, const char*> cases[] = {
        {"refuse", "plugin wobbly: no such \xEF\xBF\xBD thing"},
        {"refuse in silence", "plugin wobbly: refused its configuration"},
        {"create throw", "plugin wobbly threw an exception across the C boundary"},
        {"create abort", "plugin wobbly crashed in its own process (signal 6)"},
        {"create exit", "plugin wobbly ended its own process (exit status 0)"},
        {"create hang", "plugin wobbly hung in its own process and was ended after 1s"}};
    RemoteOptions options = remoteOptions();
    options.step_timeout = milliseconds{1'000};
    for (const auto& [config, words] : cases) {
        const auto instance = createRemote(PrivateCopy(WOBBLY), "wobbly", config, options);
        ASSERT_FALSE(instance) << config;
        EXPECT_EQ(instance.error().error_class, ErrorClass::Config) << config;
        EXPECT_EQ(instance.error().message, words);
    }
    EXPECT_THAT(createRemote(PrivateCopy("/absent.so"), "absent", "", options).error().message,
                StartsWith("plugin absent: cannot be loaded: /absent.so"));
    options.program = "/absent";
    EXPECT_THAT(createRemote(PrivateCopy(WOBBLY), "wobbly", "", options).error().message,
                HasSubstr("cannot start a process with /absent: No such file"));
}

TEST(Remote, WhateverItDoesTheHostIsToldAndTheNextSessionWorks) {
    const std::pair<const char*, const char*> cases[] = {
        {"segfault", "plugin wobbly crashed in its own process (signal 11)"},
        {"abort", "plugin wobbly crashed in its own process (signal 6)"},
        {"begin abort", "plugin wobbly crashed in its own process (signal 6)"},
        {"exit", "plugin wobbly ended its own process (exit status 0)"},
        {"hang", "plugin wobbly hung in its own process and was ended after 1s"},
        {"begin hang", "plugin wobbly hung in its own process and was ended after 1s"},
        {"log for ever", "plugin wobbly hung in its own process and was ended after 1s"},
        {"close, then hang", "plugin wobbly left its host without an answer and was ended"}};
    RemoteOptions options = remoteOptions();
    options.step_timeout = milliseconds{1'000};
    options.restarts.at_once = 100;
    const auto instance = isolated(WOBBLY, "", options);
    for (const auto& [request, words] : cases) {
        EXPECT_EQ(said(*instance, request), words);
        EXPECT_EQ(said(*instance, "say again"), "again") << request;
    }
}

TEST(Remote, AnAnswerTooLargeForTheWireCostsThatConversation) {
    const auto instance = isolated(WOBBLY);
    const auto other = instance->begin(Purpose::Generate, "say a");
    EXPECT_EQ(said(*instance, "flood"), "plugin wobbly answered one event with more than 80 MiB");
    EXPECT_EQ(step(**other, eventOf(STEPPER_EV_START)).text, "a");
}

TEST(Remote, GarbageOnTheWireEndsTheProcess) {
    using wire::Kind;
    const auto frame = [](Kind kind, std::string payload, size_t announced = SIZE_MAX) {
        const uint32_t head[] = {static_cast<uint32_t>(std::min(announced, payload.size())),
                                 static_cast<uint32_t>(kind)};
        return std::string(reinterpret_cast<const char*>(head), sizeof head) + payload;
    };
    std::string huge = frame(Kind::Answer, "");
    huge[3] = 0x04;  // 64 MiB follow, it says
    std::string status, end, long_log;
    ASSERT_TRUE(wire::encode(wire::Log{1, std::string(4'097, 'x')}, long_log));
    ASSERT_TRUE(wire::encode(wire::Status{0, "ok"}, status));
    wire::encodeEnd(1, end);
    const std::string garbled = "plugin wobbly sent garbage from its own process, which was ended";
    const std::pair<std::string, std::string> cases[] = {
        {std::string(64, '\xff'), garbled},
        {"hello, this is a line of text", garbled},
        {frame(static_cast<Kind>(0), ""), garbled},
        {frame(Kind::Answer, ""), garbled},
        {frame(Kind::Answer, std::string(3, '\1')), garbled},
        {frame(Kind::Log, "x"), garbled},
        {status, garbled},
        {end, garbled},
        {long_log, garbled},
        {huge, "plugin wobbly hung in its own process and was ended after 1s"}};
    RemoteOptions options = remoteOptions();
    options.step_timeout = milliseconds{1'000};
    options.restarts.at_once = 100;
    const auto instance = isolated(WOBBLY, "", options);
    for (size_t i = 0; i < std::size(cases); ++i) {
        EXPECT_EQ(said(*instance, "wire " + cases[i].first), cases[i].second) << i;
        EXPECT_EQ(said(*instance, "say again"), "again") << i;
    }
}

TEST(Remote, ACrashFailsEveryConversationOfThatProcess) {
    const auto instance = isolated(WOBBLY);
    auto other = instance->begin(Purpose::Generate, "say still here").value();
    EXPECT_EQ(step(*other, eventOf(STEPPER_EV_START)).text, "still here");
    EXPECT_THAT(said(*instance, "segfault"), HasSubstr("signal 11"));
    const Shown gone = step(*other, eventOf(STEPPER_EV_START));
    ASSERT_FALSE(gone.result);
    EXPECT_EQ(gone.result.error().error_class, ErrorClass::Internal);
    EXPECT_EQ(gone.result.error().message, "plugin wobbly crashed in its own process (signal 11)");
    // The same number in the new process is another session.
    auto next = instance->begin(Purpose::Generate, "say new").value();
    other.reset();
    EXPECT_EQ(step(*next, eventOf(STEPPER_EV_START)).text, "new");
}

TEST(Remote, ConversationsEndInThePlugin) {
    const auto instance = isolated(WOBBLY);
    const auto open = instance->begin(Purpose::Generate, "say a");
    for (int i = 0; i < 5; ++i) said(*instance, "say a");
    EXPECT_EQ(said(*instance, "refuse"), "plugin wobbly: not this one");
    EXPECT_EQ(said(*instance, "sessions"), "2");
}

TEST(Remote, ACrashInEndIsTheNextSessionsNewStart) {
    const auto instance = isolated(WOBBLY);
    said(*instance, "say end abort");
    const auto next = said(*instance, "say next");
    EXPECT_THAT(next, testing::AnyOf("next", "plugin wobbly crashed in its own process (signal 6)"));
    EXPECT_EQ(said(*instance, "say third"), "third");
}

TEST(Remote, RestartsAreRateLimited) {
    const auto clock = std::make_shared<ManualClock>();
    RemoteOptions options = remoteOptions();
    options.now = [clock] { return clock->now(); };
    const auto instance = isolated(WOBBLY, "", options);
    for (int i = 0; i < 4; ++i) EXPECT_THAT(said(*instance, "segfault"), HasSubstr("signal 11")) << i;
    const auto refused = instance->begin(Purpose::Generate, "say hi");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error_class, ErrorClass::Overloaded);
    EXPECT_EQ(refused.error().message,
              "plugin wobbly keeps failing in its own process; it is started again in 500ms");
    EXPECT_EQ(refused.error().retry_after, milliseconds{500});
    clock->advance(milliseconds{499});
    EXPECT_EQ(instance->begin(Purpose::Generate, "say hi").error().retry_after, milliseconds{1});
    clock->advance(milliseconds{1});
    EXPECT_EQ(said(*instance, "say hi"), "hi");
    EXPECT_THAT(said(*instance, "segfault"), HasSubstr("signal 11"));
    EXPECT_EQ(instance->begin(Purpose::Generate, "say hi").error().retry_after, milliseconds{1'000});
}

TEST(Remote, AFailedStartCountsAndIsTheHostsNoConfigError) {
    const auto clock = std::make_shared<ManualClock>();
    const TemporaryCopy copy(WOBBLY);
    RemoteOptions options = remoteOptions();
    options.restarts.at_once = 1;
    options.now = [clock] { return clock->now(); };
    const auto instance = createRemote(PrivateCopy(copy.path()), "wobbly", "", options).value();
    EXPECT_THAT(said(*instance, "segfault"), HasSubstr("signal 11"));
    std::filesystem::remove(copy.path());
    const auto failed = instance->begin(Purpose::Generate, "say hi");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().error_class, ErrorClass::Internal);
    EXPECT_THAT(failed.error().message, HasSubstr("cannot be loaded"));
    EXPECT_EQ(instance->begin(Purpose::Generate, "say hi").error().error_class, ErrorClass::Overloaded);
}

TEST(Remote, EightThreadsConverseAtOnce) {
    const auto instance = isolated(WOBBLY);
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i) {
                const std::string word =
                    std::to_string(t) + "." + std::to_string(i) + std::string(i * 2'000u, '.');
                auto session = instance->begin(Purpose::Generate, "say " + word).value();
                for (int n = 0; n < 4; ++n)
                    if (step(*session, eventOf(STEPPER_EV_START)).text == word) ++right;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(right, 8 * 50 * 4);
}

TEST(Remote, EightThreadsOverACrashingPlugin) {
    RemoteOptions options = remoteOptions();
    options.restarts.at_once = 1'000'000;
    const auto instance = isolated(WOBBLY, "", options);
    const std::string crash = "plugin wobbly crashed in its own process (signal 11)";
    std::atomic<int> answered{0}, crashed{0}, odd{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 10; ++i) {
                const std::string got = said(*instance, "crash on every third");
                ++(got.empty() ? answered : got == crash ? crashed : odd);
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(odd, 0);
    EXPECT_GE(crashed, 20);
    EXPECT_GE(answered, 8);
}

TEST(Remote, LogsReachTheHost) {
    std::vector<std::string> lines;
    RemoteOptions options = remoteOptions();
    options.log = [&](int level, std::string_view text) {
        lines.push_back(std::to_string(level) + " " + std::string(text));
    };
    const auto instance = isolated(WOBBLY, "", options);
    EXPECT_EQ(said(*instance, "log"), "said");
    EXPECT_THAT(lines, testing::ElementsAre("2 before", "3 after \xEF\xBF\xBD"));
}

TEST(Remote, AnEventTooLargeForTheWireCostsThatConversation) {
    const auto instance = isolated(WOBBLY);
    const std::string large(wire::kMaxPayload + 1, 'x');
    auto session = instance->begin(Purpose::Generate, "echo ").value();
    const Shown out = step(*session, eventOf(STEPPER_EV_DATA, large));
    ASSERT_FALSE(out.result);
    EXPECT_EQ(out.result.error().error_class, ErrorClass::BadResponse);
    EXPECT_EQ(instance->begin(Purpose::Generate, large).error().error_class, ErrorClass::InvalidRequest);
    EXPECT_EQ(said(*instance, "say again"), "again");
}

}  // namespace
}  // namespace stepper::plugin
