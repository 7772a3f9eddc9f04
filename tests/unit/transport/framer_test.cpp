#include "core/transport/framer.h"

#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stepper::transport {
namespace {

using Frames = std::vector<std::pair<std::string, std::string>>;  // name, data

struct Outcome {
    Frames frames;
    std::string error;
    bool operator==(const Outcome&) const = default;
};

bool drain(Framer& framer, Outcome& out) {
    for (;;) {
        auto frame = framer.next();
        if (!frame) {
            EXPECT_EQ(frame.error().error_class, ErrorClass::BadResponse);
            out.error = frame.error().message;
            return false;
        }
        if (!*frame) return true;
        out.frames.emplace_back((*frame)->name, (*frame)->data);
    }
}

Outcome cut(BodyMode mode, const std::vector<std::string_view>& pieces,
            size_t limit = Framer::kMaxFrameBytes) {
    Framer framer(mode, limit);
    Outcome out;
    for (const auto piece : pieces) {
        framer.feed(piece);
        if (!drain(framer, out)) return out;
    }
    framer.finish();
    drain(framer, out);
    return out;
}

Outcome cut(BodyMode mode, std::string_view body, size_t limit = Framer::kMaxFrameBytes) {
    return cut(mode, std::vector{body}, limit);
}

std::vector<std::string_view> bytesOf(std::string_view body) {
    std::vector<std::string_view> out;
    for (size_t i = 0; i < body.size(); ++i) out.push_back(body.substr(i, 1));
    return out;
}

struct Sample {
    const char* title;
    BodyMode mode;
    std::string body;
    Frames frames;
    std::string error = {};
};

const std::string kEndedInside = "the stream ended inside an event";

const std::vector<Sample> kSamples = {
    {"whole", BodyMode::Whole, "a\nb", {{"", "a\nb"}}},
    {"whole and empty", BodyMode::Whole, "", {{"", ""}}},
    {"lines end with LF or CRLF, the last with the body",
     BodyMode::Lines,
     "a\nb\r\nc",
     {{"", "a"}, {"", "b"}, {"", "c"}}},
    {"empty lines are skipped", BodyMode::Lines, "\n\r\na\n\n\nb\n\n", {{"", "a"}, {"", "b"}}},
    {"a CR inside a line stays", BodyMode::Lines, "a\rb\nc\r", {{"", "a\rb"}, {"", "c"}}},
    {"no lines", BodyMode::Lines, "", {}},

    {"LF", BodyMode::Sse, "data: a\n\ndata: b\n\n", {{"", "a"}, {"", "b"}}},
    {"CRLF", BodyMode::Sse, "data: a\r\n\r\ndata: b\r\n\r\n", {{"", "a"}, {"", "b"}}},
    {"bare CR", BodyMode::Sse, "data: a\r\rdata: b\r\r", {{"", "a"}, {"", "b"}}},
    {"mixed line ends",
     BodyMode::Sse,
     "data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\r",
     {{"", "a\nb\nc"}, {"", "d"}}},
    {"one BOM is stripped",
     BodyMode::Sse,
     "\xEF\xBB\xBF"
     "data: a\n\n",
     {{"", "a"}}},
    {"a second BOM is part of a field name",
     BodyMode::Sse,
     "\xEF\xBB\xBF\xEF\xBB\xBF"
     "data: a\n\n",
     {}},
    {"comments", BodyMode::Sse, ": ping\n\n:\ndata: a\n: x\n\n", {{"", "a"}}},
    {"data lines are joined", BodyMode::Sse, "data: a\ndata:\ndata: b\n\n", {{"", "a\n\nb"}}},
    {"one space is stripped", BodyMode::Sse, "data:  a\n\ndata:b\n\n", {{"", " a"}, {"", "b"}}},
    {"data without a colon", BodyMode::Sse, "data\n\n", {{"", ""}}},
    {"names", BodyMode::Sse, "event: x\ndata: a\n\ndata: b\n\n", {{"x", "a"}, {"", "b"}}},
    {"an event without data is dropped with its name", BodyMode::Sse, "event: x\n\ndata: a\n\n", {{"", "a"}}},
    {"other fields", BodyMode::Sse, "id: 1\nretry: 5\nfoo\nDATA: z\ndata: a\n\n", {{"", "a"}}},
    {"field named error", BodyMode::Sse, "error: {\"code\":500}\n\n", {{"error", "{\"code\":500}"}}},
    {"keep-alive lines before a stream", BodyMode::Sse, "\n\r\n \ndata: a\n\n", {{"", "a"}}},
    {"multi-byte characters",
     BodyMode::Sse,
     "data: \xC3\xA4\xF0\x9F\x98\x80\n\n",
     {{"", "\xC3\xA4\xF0\x9F\x98\x80"}}},
    {"open event that is JSON", BodyMode::Sse, "data: a\n\ndata: {\"b\":1}", {{"", "a"}, {"", "{\"b\":1}"}}},
    {"open event with its line end", BodyMode::Sse, "event: x\ndata: {\"b\":1}\r\n", {{"x", "{\"b\":1}"}}},
    {"open [DONE]", BodyMode::Sse, "data: [DONE]", {{"", "[DONE]"}}},
    {"open event, cut", BodyMode::Sse, "data: a\n\ndata: {\"b\":", {{"", "a"}}, kEndedInside},
    {"open event, name only", BodyMode::Sse, "event: x\n", {}, kEndedInside},
    {"ends in a comment", BodyMode::Sse, "data: a\n\n: bye", {{"", "a"}}},
    {"JSON instead of a stream", BodyMode::Sse, "{\"error\":\n\n{}}", {{"", "{\"error\":\n\n{}}"}}},
    {"JSON after keep-alive lines", BodyMode::Sse, "\n\n [1]\n", {{"", "\n\n [1]\n"}}},
    {"JSON after a BOM", BodyMode::Sse, "\xEF\xBB\xBF{}", {{"", "{}"}}},
    {"HTML instead of a stream",
     BodyMode::Sse,
     "<html>data: x\n\n</html>",
     {{"", "<html>data: x\n\n</html>"}}},
    {"empty stream", BodyMode::Sse, "", {}},
    {"stream of white space", BodyMode::Sse, " \n\n", {}},
    {"a torn BOM", BodyMode::Sse, "\xEF\xBB", {}},
};

TEST(Framer, CutsEverySampleTheSameHoweverItIsSplit) {
    for (const auto& sample : kSamples) {
        const Outcome expected{sample.frames, sample.error};
        EXPECT_EQ(cut(sample.mode, sample.body), expected) << sample.title;
        EXPECT_EQ(cut(sample.mode, bytesOf(sample.body)), expected) << sample.title << ", byte by byte";
        const std::string_view body = sample.body;
        for (size_t at = 1; at < body.size(); ++at)
            EXPECT_EQ(cut(sample.mode, {body.substr(0, at), body.substr(at)}), expected)
                << sample.title << ", split at " << at;
    }
}

TEST(Framer, RawPassesChunksOn) {
    EXPECT_EQ(cut(BodyMode::Raw, {"ab", "", "c"}).frames, (Frames{{"", "ab"}, {"", "c"}}));
    EXPECT_EQ(cut(BodyMode::Raw, "").frames, Frames{});
}

TEST(Framer, AnEventIsOutBeforeTheLineFeedOfItsLastCr) {
    Framer framer(BodyMode::Sse);
    framer.feed("data: a\r\n\r");
    const auto frame = framer.next();
    ASSERT_TRUE(frame && *frame);
    EXPECT_EQ((*frame)->data, "a");
}

TEST(Framer, DrainedOnlyAtTheEndItGivesTheSame) {
    Framer framer(BodyMode::Sse);
    for (const auto byte : bytesOf("data: a\n\nevent: x\ndata: b\n\n")) framer.feed(byte);
    framer.finish();
    Outcome out;
    EXPECT_TRUE(drain(framer, out));
    EXPECT_EQ(out.frames, (Frames{{"", "a"}, {"x", "b"}}));
}

TEST(Framer, BoundsWhatItHolds) {
    const std::string long_text(101, 'x');
    const std::vector<std::pair<BodyMode, std::string>> bodies = {
        {BodyMode::Whole, long_text},
        {BodyMode::Lines, long_text},
        {BodyMode::Lines, long_text + "\n"},
        {BodyMode::Sse, "data: " + long_text},
        {BodyMode::Sse, "data: " + long_text + "\n\n"},
        {BodyMode::Sse, std::string(101, '\n')},
        {BodyMode::Sse, "{" + long_text},
        {BodyMode::Sse, "data: " + long_text.substr(0, 60) + "\ndata: " + long_text.substr(0, 60) + "\n\n"},
    };
    for (const auto& [mode, body] : bodies) {
        EXPECT_THAT(cut(mode, body, 100).error, testing::HasSubstr("exceeds 100 bytes")) << body;
        EXPECT_THAT(cut(mode, bytesOf(body), 100).error, testing::HasSubstr("exceeds 100 bytes")) << body;
    }
    const std::string many =
        "data: " + std::string(80, 'x') + "\n\n" + "data: " + std::string(80, 'y') + "\n\n";
    EXPECT_EQ(cut(BodyMode::Sse, many, 100).frames.size(), 2u);
}

}  // namespace
}  // namespace stepper::transport
