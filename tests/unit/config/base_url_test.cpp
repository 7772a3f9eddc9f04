#include "core/config/base_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/support.h"

namespace stepper::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Row {
    const char *name, *written, *url, *remark;
};

constexpr const char* kKind = "openai-compatible";

TEST(BaseUrl, WhatOthersAppendAVersionToGetsIt) {
    const Row rows[] = {
        {"openai", "https://api.openai.com", "https://api.openai.com/v1", "ends before /v1"},
        {"groq", "https://api.groq.com/openai", "https://api.groq.com/openai/v1", "ends before /v1"},
        {"groq", "https://api.groq.com", "https://api.groq.com/openai/v1", "ends before /openai/v1"},
        {"openrouter", "https://openrouter.ai/api", "https://openrouter.ai/api/v1", "ends before /v1"},
        {"mistral", "https://api.mistral.ai", "https://api.mistral.ai/v1", "ends before /v1"},
        {"together", "https://api.together.xyz", "https://api.together.xyz/v1", "ends before /v1"},
        {"deepseek", "https://api.deepseek.com", "https://api.deepseek.com/v1", "ends before /v1"},
        {"nvidia-llama", "https://integrate.api.nvidia.com", "https://integrate.api.nvidia.com/v1",
         "ends before /v1"},
        // Proxies on the same or another machine, and mirrors that keep the path.
        {"openai", "http://localhost:4000", "http://localhost:4000/v1", "ends before /v1"},
        {"openai", "http://[::1]:4000", "http://[::1]:4000/v1", "ends before /v1"},
        {"groq", "http://mirror:8080/openai", "http://mirror:8080/openai/v1", "ends before /v1"},
        {"ollama", "http://localhost:11434", "http://localhost:11434/v1", "ends before /v1"},
        // harry0703/MoneyPrinterTurbo#57: the whole endpoint
        {"openai", "https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1",
         "is appended anyway"},
        {"openai", "http://localhost:4000/chat/completions", "http://localhost:4000", "is appended anyway"},
        {"mine", "http://mine/v4/chat/completions", "http://mine/v4", "is appended anyway"},
    };
    for (const auto& r : rows) {
        const auto read = readBaseUrl(r.name, kKind, r.written, false);
        EXPECT_EQ(read.url, r.url) << r.name << ' ' << r.written;
        EXPECT_THAT(read.remark, HasSubstr(r.remark)) << r.written;
        EXPECT_THAT(read.remark, HasSubstr(r.url)) << r.written;
    }
}

TEST(BaseUrl, OursStaysAsItIs) {
    const Row rows[] = {
        {"openai", "https://api.openai.com/v1", "", ""},  // rohitg00/agentmemory#628, FerroxLabs/wayland#1178
        {"openai", "http://localhost:4000/v1", "", ""},
        {"groq", "https://api.groq.com/openai/v1", "", ""},
        {"openai", "https://generativelanguage.googleapis.com/v1beta/openai", "",
         ""},  // QuantumNous/new-api#853
        {"openai", "https://open.bigmodel.cn/api/paas/v4", "",
         ""},  // smallmain/vscode-unify-chat-provider#62
        {"openai", "https://gateway.example/v1/account/openai", "", ""},
        {"perplexity", "https://api.perplexity.ai", "", ""},
        {"perplexity", "http://localhost:4000", "", ""},
        {"mine", "http://localhost:4000", "", ""},
    };
    for (const auto& r : rows) {
        const auto read = readBaseUrl(r.name, kKind, r.written, true);
        EXPECT_EQ(read.url, r.written);
        EXPECT_EQ(read.remark, "") << r.name << ' ' << r.written;
    }
}

TEST(BaseUrl, OtherFormatsKnowTheirVersion) {
    for (const char* url :
         {"https://api.anthropic.com", "https://api.cohere.ai/v1", "http://h/chat/completions"}) {
        const auto read = readBaseUrl("openai", "anthropic", url, true);
        EXPECT_EQ(read.url, url);
        EXPECT_EQ(read.remark, "");
    }
}

TEST(BaseUrl, WhatOnlyItsPeopleKnowIsRemarkedWhereItIsInherited) {
    const auto read = readBaseUrl("openai", kKind, "https://proxy.example/llm", true);
    EXPECT_EQ(read.url, "https://proxy.example/llm");
    EXPECT_EQ(read.remark,
              "https://proxy.example/llm has no version in its path and is used as it is; write "
              "https://proxy.example/llm/v1 if its calls begin there");
    EXPECT_EQ(readBaseUrl("openai", kKind, "https://proxy.example/llm", false).remark, "");
    EXPECT_EQ(readBaseUrl("perplexity", kKind, "https://proxy.example/llm", true).remark, "");
    EXPECT_EQ(readBaseUrl("mine", kKind, "https://proxy.example/llm", true).remark, "");
}

TEST(BaseUrl, AConfigurationTellsWhereItWasWritten) {
    const std::string block =
        "providers:\n  - { name: groq, plugin: openai-compatible, base_url: %, model: m }\n";
    const auto written = [&](const std::string& url) {
        return std::string(block).replace(block.find('%'), 1, url);
    };
    const auto of_file = parseProviders(written("https://api.groq.com/openai/"));
    ASSERT_TRUE(of_file.ok()) << problemOf(of_file);
    EXPECT_EQ(of_file->providers[0].base_url, "https://api.groq.com/openai/v1");
    EXPECT_THAT(
        of_file->warnings,
        ElementsAre(
            "providers.yaml:2:56: provider groq: its base_url https://api.groq.com/openai ends before "
            "/v1: using https://api.groq.com/openai/v1."));
    const auto of_env =
        parseProviders(written("http://other/v1"), {{"GROQ_BASE_URL", "https://api.groq.com/openai"}});
    ASSERT_TRUE(of_env.ok()) << problemOf(of_env);
    EXPECT_EQ(of_env->providers[0].base_url, "https://api.groq.com/openai/v1");
    EXPECT_THAT(of_env->warnings,
                ElementsAre(HasSubstr("environment variable GROQ_BASE_URL: provider groq: ")));
    EXPECT_THAT(parseProviders(written("https://api.groq.com/openai/v1"))->warnings, IsEmpty());
    const auto off = parseProviders(written("https://api.groq.com/openai, enabled: false"));
    EXPECT_EQ(off->providers[0].base_url, "https://api.groq.com/openai/v1");
    EXPECT_THAT(off->warnings, ElementsAre(HasSubstr("No provider is enabled")));
}

}  // namespace
}  // namespace stepper::config
