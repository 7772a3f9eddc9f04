// What the dry run and the fuzzer make of sound plugins and of ones with a single mistake.
#include "core/plugin/proving/rehearsal.h"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/plugin/abi/collector.h"
#include "core/plugin/proving/fuzz.h"

namespace stepper::plugin {
namespace {

using testing::HasSubstr;

class Rehearsal : public testing::Test {
protected:
    static std::shared_ptr<const Provider> provider(const std::string& file, const std::string& config) {
        LoadOptions options;
        options.copies_dir = testing::TempDir() + "stepper-rehearsal-" + std::to_string(::getpid());
        auto image = PluginImage::load(std::filesystem::path(file), options);
        EXPECT_TRUE(image) << image.error().message;
        if (!image) return nullptr;
        auto made = Provider::create(*image, config);
        EXPECT_TRUE(made) << made.error().message;
        std::filesystem::remove_all(options.copies_dir);
        return made ? *made : nullptr;
    }
    static std::shared_ptr<const Provider> clumsy(const std::string& flaw) {
        return provider(PLUGINS "/clumsy.so", "{\"flaw\":\"" + flaw + "\"}");
    }
    static std::string dryRunOf(const std::string& flaw) {
        const auto ran = dryRun(clumsy(flaw));
        return ran ? "passed" : ran.error().message;
    }
    // So many sessions, however long they take.
    static std::string fuzzed(const std::string& flaw, uint64_t seed, int sessions) {
        const auto plugin = clumsy(flaw);
        for (int i = 0; i < sessions; ++i) {
            const auto ran = fuzz(plugin, {.seed = seed + static_cast<uint64_t>(i), .until = {}});
            if (!ran) return ran.error().message;
        }
        return "passed";
    }
};

struct Sound {
    const char* file;
    const char* config;
};
constexpr Sound kSound[] = {
    {SHIPPED "/openai-compatible.so", R"({"name":"a","base_url":"https://a.example/v1","model":"m-1"})"},
    {SHIPPED "/gemini.so", R"({"name":"a","base_url":"https://a.example","model":"m-1"})"},
    {SHIPPED "/cohere.so", R"({"name":"a","base_url":"https://a.example","model":"m-1"})"},
    {SHIPPED "/cohere.so", R"({"base_url":"https://a.example/v1","model":"m-1","options":{"api":"v1"}})"},
    {SHIPPED "/anthropic.so", R"({"name":"a","base_url":"https://a.example","model":"m-1"})"},
    {SHIPPED "/hfspace.so", R"({"name":"a","base_url":"https://a.hf.space"})"},
    {SHIPPED "/hfspace.so", R"({"name":"a","base_url":"https://a.hf.space","options":{"mode":"gradio"}})"},
    {SHIPPED "/http-template.so",
     R"({"base_url":"https://a.example","model":"m-1","options":{"path":"/complete",)"
     R"("body":{"model":"{{model}}","prompt":"{{prompt}}"},"response":{"text":"/completion"}}})"},
    {SHIPPED "/http-template.so",
     R"({"base_url":"https://a.example","model":"m-1","options":{"path":"/chat","body":{"p":"{{messages}}"},)"
     R"("response":{"text":"/message/content"},"stream":{"mode":"lines","enable":{"stream":true},)"
     R"("done":{"pointer":"/done","equals":true}}}})"},
    {PLUGINS "/echo-c.so", "{}"},
    {PLUGINS "/shout.so", R"({"base_url":"https://a.example"})"},
    {PLUGINS "/clumsy.so", "{}"},
};

TEST_F(Rehearsal, SoundPluginsPassTheDryRun) {
    for (const auto& [file, config] : kSound) {
        const auto plugin = provider(file, config);
        ASSERT_TRUE(plugin) << file;
        const auto ran = dryRun(plugin);
        EXPECT_TRUE(ran) << file << ": " << ran.error().message;
    }
}

TEST_F(Rehearsal, SoundPluginsStandFuzzing) {
    for (const auto& [file, config] : kSound) {
        const auto plugin = provider(file, config);
        ASSERT_TRUE(plugin) << file;
        for (uint64_t seed = 1; seed <= 150; ++seed) {
            const auto ran = fuzz(plugin, {.seed = seed, .until = {}});
            ASSERT_TRUE(ran) << file << ": " << ran.error().message;
        }
    }
}

TEST_F(Rehearsal, TheDryRunTellsTheMistake) {
    const std::pair<const char*, const char*> cases[] = {
        {"breaks the abi at once", "on START: plugin clumsy broke the plugin ABI: it asked to continue"},
        {"waits for ever", "on START: it had not finished after"},
        {"sends for ever", "on a 500: it had not finished after"},
        {"done on a 500", "on a 500: it answered DONE instead of FAIL"},
        {"bug on a 500", "on a 500: my bug"},
        {"done on a 429", "on a 429: it answered DONE instead of FAIL"},
        {"done on a broken connection", "on a broken connection: it answered DONE instead of FAIL"},
        {"sends again on a broken connection", "on a broken connection: it had not finished after"},
        {"throws at garbage", "on an answer that is no JSON: what is this?"},
        {"passes bytes on",
         "on an answer that is not UTF-8: plugin clumsy broke the plugin ABI: it emitted text"},
        {"says more at the end", "broke the plugin ABI: it asked to continue"},
        {"bug on a cancel", "on a cancel right after SEND: my bug"},
        {"bug on a late cancel", "on a cancel inside the answer: my bug"},
        {"bug in begin", "on a small chat request: plugin clumsy: my bug"},
        {"fails only when streaming", "on a 500: it answered DONE"}};
    for (const auto& [flaw, words] : cases) EXPECT_THAT(dryRunOf(flaw), HasSubstr(words)) << flaw;
}

TEST_F(Rehearsal, WhoeverNeedsMoreThanAChatPassesTheDryRun) {
    EXPECT_EQ(dryRunOf("refuses the request"), "passed");
    EXPECT_EQ(dryRunOf("needs something else"), "passed");
}

TEST_F(Rehearsal, FuzzingFindsWhatTheDryRunDoesNot) {
    const std::pair<const char*, const char*> cases[] = {
        {"misreads an odd event", "it asked to send while its exchange was still open"},
        {"is slow on an odd status", "a step took 1"},
        {"passes bytes on", "not UTF-8"},
        {"waits for ever", "it had not finished after 400 events"}};
    for (const auto& [flaw, words] : cases) {
        const std::string told = fuzzed(flaw, 1, 2'000);
        EXPECT_THAT(told, HasSubstr(words)) << flaw;
        EXPECT_THAT(told, HasSubstr("seed ")) << flaw;
    }
}

TEST_F(Rehearsal, TheSeedATellerNamesReproducesIt) {
    const std::string told = fuzzed("misreads an odd event", 1, 2'000);
    const size_t at = told.find("seed ");
    ASSERT_NE(at, std::string::npos) << told;
    const uint64_t seed = std::stoull(told.substr(at + 5));
    EXPECT_EQ(fuzzed("misreads an odd event", seed, 1), told);
}

TEST_F(Rehearsal, FuzzingSaysWhatItIsAboutToDo) {
    std::string last;
    Fuzzing how{.seed = 5, .until = {}};
    how.listener = [&](std::string_view trail) { last = trail; };
    const auto ran = fuzz(clumsy("none"), how);
    ASSERT_TRUE(ran);
    EXPECT_EQ(ran->sessions, 1u);
    EXPECT_GT(ran->events, 0u);
    EXPECT_THAT(last, HasSubstr("seed 5, events: "));
}

TEST_F(Rehearsal, ACorpusIsPlayed) {
    int seen = 0;
    Fuzzing how{.seed = 1, .until = {}, .corpus = {"the plugin's own example"}};
    how.listener = [&](std::string_view trail) { seen += trail.ends_with("'the plugin's own example'"); };
    const auto plugin = clumsy("none");
    for (; how.seed < 50; ++how.seed) ASSERT_TRUE(fuzz(plugin, how));
    EXPECT_GT(seen, 10);
}

// Found by fuzzing: the kit handed RapidJSON a null pointer for the absent name.
TEST_F(Rehearsal, AFunctionCallWithoutANameIsNoCrash) {
    const auto plugin = provider(SHIPPED "/gemini.so", R"({"base_url":"https://a.example","model":"m-1"})");
    auto session = plugin->begin(Purpose::Generate, R"({"messages":[{"role":"user","content":"hi"}]})");
    ASSERT_TRUE(session);
    Collector out;
    ASSERT_TRUE(std::holds_alternative<SendSpec>(session->start(out)));
    session->head(200, {}, out);
    session->data(R"({"candidates":[{"content":{"parts":[{"functionCall":{}}]},"finishReason":"STOP"}]})", {},
                  out);
    EXPECT_TRUE(std::holds_alternative<Done>(session->end(out)));
}

}  // namespace
}  // namespace stepper::plugin
