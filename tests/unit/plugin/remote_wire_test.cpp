// The messages between a host and an isolated plugin: each comes out as it went in, and no damage to one
// makes a decoder read what is not there or accept what no encoder writes.
#include "core/plugin/isolation/remote_wire.h"

#include <cstring>
#include <functional>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/plugin/drive.h"

namespace stepper::plugin::wire {
namespace {

stepper_str str(std::string_view s) { return {s.data(), s.size()}; }

// The payload in memory of its own size, so that a sanitizer sees a byte read beside it.
class Exactly {
public:
    explicit Exactly(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) {}
    std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

private:
    std::vector<char> bytes_;
};

std::string payloadOf(const std::string& frame, Kind kind) {
    const auto head = decodeHead(std::string_view(frame).substr(0, kHeadBytes));
    EXPECT_TRUE(head && head->kind == kind && head->bytes == frame.size() - kHeadBytes);
    return frame.substr(kHeadBytes);
}

std::string answerWith(const std::function<void(stepper_action&)>& fill) {
    std::string frame;
    AnswerWriter writer(frame);
    writer.emit(STEPPER_OUT_TEXT, str("piece"));
    writer.emit(77, {nullptr, 0});
    stepper_action action{};
    fill(action);
    writer.finish(action);
    return payloadOf(frame, Kind::Answer);
}

const stepper_kv kHeaders[] = {{{"a", 1}, {"", 0}}, {{"b", 1}, {nullptr, 0}}};

std::string sendingAnswer() {
    return answerWith([](stepper_action& a) {
        a.kind = STEPPER_SEND;
        a.request.method = str("POST");
        a.request.url = str("http://x/");
        a.request.headers = kHeaders;
        a.request.header_count = 2;
        a.request.body = str("body");
    });
}

std::string failingAnswer() {
    return answerWith([](stepper_action& a) {
        a.kind = STEPPER_FAIL;
        a.error.message = str("words");
    });
}

struct Decoded {
    bool ok = false;
    std::string shown;
};

Decoded answerOf(std::string_view payload) {
    const Exactly bytes(payload);
    Decoded out;
    stepper_event event{};
    event.sink = &out.shown;
    event.emit = [](void* sink, int32_t kind, stepper_str s) {
        *static_cast<std::string*>(sink) += std::to_string(kind) + plugin::shown(s) + " ";
    };
    stepper_action action{};
    std::vector<stepper_kv> headers;
    out.ok = decodeAnswer(bytes.view(), event, headers, action);
    if (out.ok) out.shown += plugin::shown(action);
    return out;
}

// Every decoder's word on a payload.
std::vector<bool> accepted(std::string_view payload) {
    const Exactly bytes(payload);
    Create create{};
    Begin begin{};
    Step step{};
    Status status{};
    Log log{};
    uint64_t session = 0;
    std::vector<stepper_kv> headers;
    return {decode(bytes.view(), create),
            decode(bytes.view(), begin),
            decode(bytes.view(), step, headers),
            decode(bytes.view(), status),
            decode(bytes.view(), log),
            decodeEnd(bytes.view(), session),
            answerOf(payload).ok,
            decodeHead(bytes.view()).has_value()};
}

std::vector<std::string> samples() {
    std::string frame;
    std::vector<std::string> out{sendingAnswer(), failingAnswer(), answerWith([](stepper_action&) {})};
    const auto keep = [&](Kind kind) { out.push_back(payloadOf(frame, kind)); };
    EXPECT_TRUE(encode(Create{1, 2, "config"}, frame));
    keep(Kind::Create);
    EXPECT_TRUE(encode(Begin{1, 2, "request"}, frame));
    keep(Kind::Begin);
    Step step{3, eventOf(STEPPER_EV_HEAD, "data")};
    step.event.headers = kHeaders;
    step.event.header_count = 2;
    EXPECT_TRUE(encode(step, frame));
    keep(Kind::Step);
    EXPECT_TRUE(encode(Status{4, "words"}, frame));
    keep(Kind::Status);
    EXPECT_TRUE(encode(Log{5, "line"}, frame));
    keep(Kind::Log);
    encodeEnd(6, frame);
    keep(Kind::End);
    return out;
}

TEST(RemoteWire, MessagesComeOutAsTheyWentIn) {
    std::string frame;
    ASSERT_TRUE(encode(Create{1, uint64_t{1} << 40, "config"}, frame));
    Create create{};
    const std::string create_payload = payloadOf(frame, Kind::Create);
    ASSERT_TRUE(decode(create_payload, create));
    EXPECT_EQ(create.step_timeout_ms, 1u);
    EXPECT_EQ(create.memory_bytes, uint64_t{1} << 40);
    EXPECT_EQ(create.config, "config");

    ASSERT_TRUE(encode(Begin{~uint64_t{0}, -3, ""}, frame));
    Begin begin{};
    const std::string begin_payload = payloadOf(frame, Kind::Begin);
    ASSERT_TRUE(decode(begin_payload, begin));
    EXPECT_EQ(begin.session, ~uint64_t{0});
    EXPECT_EQ(begin.job, -3);
    EXPECT_EQ(begin.request, "");
}

TEST(RemoteWire, AnEventKeepsEmptyAndAbsentApart) {
    stepper_event event = eventOf(STEPPER_EV_HEAD);
    event.http_status = 599;
    event.io_error = -1;
    event.now_ms = ~uint64_t{0};
    event.data = {"", 0};
    event.headers = kHeaders;
    event.header_count = 2;
    std::string frame;
    ASSERT_TRUE(encode(Step{9, event}, frame));
    const std::string payload = payloadOf(frame, Kind::Step);
    Step step{};
    std::vector<stepper_kv> headers;
    ASSERT_TRUE(decode(payload, step, headers));
    EXPECT_EQ(step.session, 9u);
    EXPECT_EQ(step.event.struct_size, sizeof(stepper_event));
    EXPECT_EQ(step.event.http_status, 599);
    EXPECT_EQ(step.event.io_error, -1);
    EXPECT_EQ(step.event.now_ms, ~uint64_t{0});
    EXPECT_EQ(shown(step.event.data), "''");
    EXPECT_EQ(shown(step.event.name), "absent");
    ASSERT_EQ(step.event.header_count, 2u);
    EXPECT_EQ(shown(step.event.headers[0].key) + shown(step.event.headers[0].value), "'a'''");
    EXPECT_EQ(shown(step.event.headers[1].value), "absent");
}

TEST(RemoteWire, EveryTruncationAndEveryAppendedByteIsRefused) {
    for (const std::string& whole : samples()) {
        const auto before = accepted(whole);
        ASSERT_THAT(before, testing::Contains(true));
        for (size_t size = 0; size < whole.size(); ++size) {
            const auto now = accepted(whole.substr(0, size));
            for (size_t i = 0; i < now.size(); ++i) EXPECT_FALSE(before[i] && now[i]) << i << " at " << size;
        }
        const auto longer = accepted(whole + '\0');
        for (size_t i = 0; i < longer.size(); ++i) EXPECT_FALSE(before[i] && longer[i]) << i;
    }
}

TEST(RemoteWire, DamageIsSurvived) {
    std::mt19937 random(7);
    for (const std::string& whole : samples())
        for (int round = 0; round < 5'000; ++round) {
            std::string damaged = whole;
            for (int n = 1 + static_cast<int>(random() % 4); n > 0; --n)
                damaged[random() % damaged.size()] = static_cast<char>(random() % 8 == 0 ? 0xFF : random());
            accepted(damaged);
        }
}

TEST(RemoteWire, AHeadOfNoKindOrNoSizeIsNone) {
    const auto head = [](uint32_t bytes, uint32_t kind) {
        std::string out(kHeadBytes, '\0');
        std::memcpy(out.data(), &bytes, 4);
        std::memcpy(out.data() + 4, &kind, 4);
        return decodeHead(out).has_value();
    };
    EXPECT_TRUE(head(0, 1));
    EXPECT_TRUE(head(kMaxPayload, static_cast<uint32_t>(Kind::TooLarge)));
    EXPECT_FALSE(head(kMaxPayload + 1, 1));
    EXPECT_FALSE(head(0, 0));
    EXPECT_FALSE(head(0, static_cast<uint32_t>(Kind::TooLarge) + 1));
    EXPECT_FALSE(decodeHead("1234567").has_value());
}

TEST(RemoteWire, MoreHeadersThanAnnouncedAreNotBelieved) {
    std::string payload = sendingAnswer();
    const uint64_t two = 2, many = uint64_t{1} << 60, sixty = 60;
    const size_t at = payload.rfind(std::string(reinterpret_cast<const char*>(&two), sizeof two));
    ASSERT_NE(at, std::string::npos);
    EXPECT_TRUE(answerOf(payload).ok);
    for (const uint64_t count : {many, sixty}) {
        std::memcpy(payload.data() + at, &count, sizeof count);
        EXPECT_FALSE(answerOf(payload).ok) << count;
    }
}

TEST(RemoteWire, WhatDoesNotFitIsSaidSo) {
    const std::string large(kMaxPayload + 1, 'x');
    const std::string_view fits = std::string_view(large).substr(0, kMaxPayload - 64);
    std::string frame;
    EXPECT_FALSE(encode(Begin{1, 0, large}, frame));
    EXPECT_FALSE(encode(Step{1, eventOf(STEPPER_EV_DATA, large)}, frame));
    EXPECT_TRUE(encode(Begin{1, 0, fits}, frame));

    AnswerWriter writer(frame);
    writer.emit(STEPPER_OUT_TEXT, str(fits));
    writer.emit(STEPPER_OUT_TEXT, str(std::string_view(large).substr(0, 64)));
    writer.emit(STEPPER_OUT_TEXT, str("lost"));
    writer.finish(stepper_action{});
    EXPECT_EQ(payloadOf(frame, Kind::TooLarge), "");
}

TEST(RemoteWire, AViewThatLiesStillDoesOnTheOtherSide) {
    std::string frame;
    AnswerWriter writer(frame);
    writer.emit(0, {nullptr, 7});
    writer.emit(0, {"x", kMaxPayload + 1});
    writer.finish(stepper_action{});
    EXPECT_THAT(answerOf(payloadOf(frame, Kind::Answer)).shown, testing::StartsWith("0wrong 0wrong action"));

    frame = "\xFE\xFF\xFF\xFF";
    Status status{};
    EXPECT_FALSE(decode(std::string(4, '\0') + frame, status));
}

}  // namespace
}  // namespace stepper::plugin::wire
