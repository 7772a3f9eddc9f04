// The same text, whole and streamed, cut anywhere: what a client gets must not depend on how it came.
#include <random>

#include <gtest/gtest.h>

#include "core/engine/attempt.h"
#include "tests/unit/engine/fake_transport.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/kit/reasoning_cases.h"

namespace stepper::engine {
namespace {

using namespace std::chrono_literals;
using Kind = HttpEvent::Kind;

class NobodyListens final : public AttemptListener {
    void sent() override {}
    void heard(const transport::Headers&) override {}
};

// A choice whose content is `text`, and a finish reason where it is the last.
std::string chunk(std::string_view name, std::string_view text, bool last) {
    json::Document content(rapidjson::kStringType);
    content.SetString(text.data(), static_cast<rapidjson::SizeType>(text.size()), content.GetAllocator());
    return R"({"choices":[{"index":0,")" + std::string(name) + R"(":{"content":)" + json::dump(content) +
           R"(},"finish_reason":)" + (last ? R"("stop")" : "null") + "}]}";
}

plugin::Answer answerTo(const ProviderEntry& entry, bool stream, const std::vector<std::string>& bodies) {
    static const transport::Headers headers{{"date", "Sat, 21 Nov 2026 10:00:00 GMT"}};
    FakeTransport transport;
    HttpEvent head = event(Kind::Head);
    head.status = 200;
    head.headers = &headers;
    transport.events.push_back(head);
    for (const auto& body : bodies) transport.events.emplace_back(event(Kind::Data)).data = body;
    transport.events.push_back(event(Kind::End));
    NobodyListens listener;
    CancelToken cancel;
    const SystemClock clock;
    const std::string request = R"({"messages":[{"role":"user","content":"hi"}],"stream":)";
    return attempt(entry, entry.keyFor(0), request + (stream ? "true}" : "false}"),
                   {clock.now() + 5s, cancel, transport, clock}, listener)
        .answer;
}

// Cuts between characters: JSON holds no halves of one.
std::vector<std::string> cut(std::string_view text, std::mt19937& random) {
    std::vector<std::string> out;
    while (!text.empty()) {
        size_t n = std::min<size_t>(1 + random() % 6, text.size());
        while (n < text.size() && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80) ++n;
        out.push_back(chunk("delta", text.substr(0, n), n == text.size()));
        text.remove_prefix(n);
    }
    return out;
}

TEST(BothWays, ReasoningInTheTextIsTheSame) {
    const ProviderEntry entry = chatEntry("one");
    std::mt19937 random(7);
    for (const auto& c : kit::kReasoningCases) {
        const auto whole = answerTo(entry, false, {chunk("message", c.answer, true)});
        EXPECT_EQ(whole.text, c.text) << c.answer;
        EXPECT_EQ(whole.reasoning, c.reasoning) << c.answer;
        for (int n = 0; n < 10; ++n) {
            const auto streamed = answerTo(entry, true, cut(c.answer, random));
            EXPECT_EQ(streamed.text, c.text) << c.answer;
            EXPECT_EQ(streamed.reasoning, c.reasoning) << c.answer;
        }
    }
}

}  // namespace
}  // namespace stepper::engine
