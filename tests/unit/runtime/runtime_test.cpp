// Runtimes without HTTP: several in this process, each with a configuration, a store and plugins of its own,
// and a simulator that plays their providers.
#include "core/runtime/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/prompt/generic_prompt.h"
#include "tests/unit/sim/raw_client.h"

namespace stepper::runtime {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using store::JobState;
using testing::HasSubstr;

constexpr auto kPatience = 20s;

SteadyTime soon() { return std::chrono::steady_clock::now() + kPatience; }

Result<engine::GenerateRequest> decode(std::string_view, std::string_view body) {
    engine::GenerateRequest out;
    out.question = std::make_shared<prompt::GenericPrompt>(
        std::make_shared<const json::Document>(json::parse(body).value()), output::Mode::Text);
    return out;
}

class RuntimeTest : public sim::SimTest {
protected:
    RuntimeTest() {
        fs::create_directory(plugins());
        fs::copy_file(CHAT_PLUGIN, plugins() / "chat.so");
    }
    fs::path plugins() const { return folder_.path() / "plugins"; }

    // One provider of that name, played by the simulator's instance of the same name.
    config::Config configOf(const std::string& provider, const std::string& store = "memory:") const {
        const std::string settings = "store: { url: '" + store + "' }\nfallback: { enabled: false }\n";
        const std::string providers = "providers:\n  - name: " + provider +
                                      "\n    plugin: openai-compatible\n    model: m\n    api_key: k\n" +
                                      "    base_url: " + sim.server.url() + "/p/" + provider + "/v1\n";
        auto config = config::parse(
            {.stepper_yaml = settings, .providers_yaml = providers, .base_dir = folder_.path()}, {});
        EXPECT_TRUE(config) << config.error().message;
        return config.value();
    }
    Options optionsOf(config::Config config) const {
        return {.config = std::move(config), .home = {"", plugins()}, .decode = decode};
    }
    std::unique_ptr<Runtime> started(Options options) const {
        auto made = Runtime::make(std::move(options));
        EXPECT_TRUE(made) << made.error().message;
        (*made)->start();
        return std::move(made).value();
    }

    static std::string submit(Runtime& runtime, const std::string& prompt) {
        jobs::Submission wanted;
        wanted.kind = jobs::RequestKind::Generate;
        wanted.body = R"({"prompt":")" + prompt + "\"}";
        const auto made = runtime.jobs().submit(wanted);
        EXPECT_TRUE(made) << made.error().message;
        return made->job_id;
    }
    // The job when it has ended.
    static store::Job ended(Runtime& runtime, const std::string& id) {
        for (;;) {
            jobs::Waiters::Wait wait(runtime.jobs().waiters(), id);
            auto job = runtime.jobs().store().job(id);
            if (store::isFinal((*job)->state)) return std::move(**job);
            if (wait.sleep({}, soon()) == jobs::Waiters::Wait::Woken::Changed) continue;
            ADD_FAILURE() << "the job does not end";
            return std::move(**job);
        }
    }
    static store::Job run(Runtime& runtime, const std::string& prompt) {
        return ended(runtime, submit(runtime, prompt));
    }

    const TemporaryFolder folder_;
};

TEST_F(RuntimeTest, TwoInOneProcessKeepToTheirOwnConfigurations) {
    sim.put("north", R"({"answer":"snow"})");
    sim.put("south", R"({"steps":[{"error":"auth"}]})");
    const auto north = started(optionsOf(configOf("north"))), south = started(optionsOf(configOf("south")));

    const auto answered = run(*north, "the weather"), refused = run(*south, "the weather");
    EXPECT_EQ(answered.state, JobState::Done);
    EXPECT_THAT(answered.result, HasSubstr("snow"));
    EXPECT_EQ(refused.state, JobState::Failed);
    EXPECT_THAT(refused.meta, HasSubstr("south"));
    EXPECT_FALSE(*north->jobs().store().job(refused.id)) << "each has a store of its own";
    EXPECT_EQ(sim.counters("north").requests, 1u);

    south->drain(soon());
    EXPECT_EQ(run(*north, "and now").state, JobState::Done) << "the end of one is not the other's";
    north->drain(soon());
}

TEST_F(RuntimeTest, OneThatIsDrainedAcceptsWhatTheNextOneRuns) {
    sim.put("one", R"({"answer":"yes"})");
    const auto options = optionsOf(configOf("one", "sqlite:" + (folder_.path() / "jobs.db").string()));
    auto runtime = started(options);
    runtime->drain(soon());
    const std::string late = submit(*runtime, "late");
    runtime.reset();

    runtime = started(options);
    EXPECT_EQ(ended(*runtime, late).state, JobState::Done);
    runtime->drain(soon());
}

TEST_F(RuntimeTest, TheStoreOfOneIsNotTheOthers) {
    const auto options = optionsOf(configOf("one", "sqlite:" + (folder_.path() / "jobs.db").string()));
    const auto first = started(options);
    const auto second = Runtime::make(options);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr("in use"));
}

TEST_F(RuntimeTest, WhatIsNotApprovedOpensNoStore) {
    const fs::path path = folder_.path() / "jobs.db";
    Options options = optionsOf(configOf("one", "sqlite:" + path.string()));
    options.approve = [](const engine::Snapshot& first) -> Result<void> {
        return Error{ErrorClass::Config, first.providers.front().spec.name + " is not to my taste"};
    };
    const auto made = Runtime::make(std::move(options));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().message, "one is not to my taste");
    EXPECT_FALSE(fs::exists(path));
}

TEST_F(RuntimeTest, AReloadIsOfOneAlone) {
    sim.put("before", R"({"answer":"old"})");
    sim.put("after", R"({"answer":"new"})");
    Options options = optionsOf(configOf("before"));
    options.load = [this](auto&) -> Result<config::Config> { return configOf("after"); };
    auto made = Runtime::make(std::move(options));
    ASSERT_TRUE(made) << made.error().message;
    Runtime& moving = **made;
    std::string told;
    moving.start([&](const engine::Snapshot& now) { told = now.providers.front().spec.name; });
    const auto staying = started(optionsOf(configOf("before")));

    for (Runtime* each : {&moving, staying.get()}) {
        const auto report = each->reloader().reload(soon());
        ASSERT_TRUE(report) << report.error().message;
        EXPECT_TRUE(report->ok()) << report->problems.front();
    }
    EXPECT_THAT(run(moving, "which").result, HasSubstr("new"));
    EXPECT_THAT(run(*staying, "which").result, HasSubstr("old"));
    moving.drain(soon());
    EXPECT_EQ(told, "after");
}

}  // namespace
}  // namespace stepper::runtime
