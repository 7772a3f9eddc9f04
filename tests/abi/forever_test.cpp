// The oldest plugin there is loads, brings its transcripts and answers, in this process and in one of its
// own.
#include <filesystem>

#include <gtest/gtest.h>

#include "core/plugin/abi/collector.h"
#include "core/plugin/abi/session.h"

namespace stepper::plugin {
namespace {

namespace fs = std::filesystem;

class Forever : public testing::TestWithParam<config::Isolation> {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "stepper-forever-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        LoadOptions options;
        options.copies_dir = folder_ / "copies";
        options.probe_program = STEPPER_PROGRAM;
        options.probe_timeout = std::chrono::seconds{10};
        options.configs["forever"] = {kConfig};
        auto image = PluginImage::load(fs::path(PLUGINS) / "forever.so", options);
        ASSERT_TRUE(image) << image.error().message;
        image_ = *image;
    }
    void TearDown() override { fs::remove_all(folder_); }

    static constexpr auto kConfig =
        R"({"name":"f","base_url":"https://api.example","model":"m","options":{}})";
    fs::path folder_;
    std::shared_ptr<const PluginImage> image_;
};

TEST_P(Forever, LoadsAndAnswers) {
    EXPECT_EQ(image_->kind(), "forever");
    EXPECT_EQ(image_->abiVersion(), 0x10000u);
    EXPECT_EQ(image_->capabilities(), STEPPER_CAP_STREAM);
    auto provider = Provider::create(image_, kConfig, GetParam());
    ASSERT_TRUE(provider) << provider.error().message;
    auto session = (*provider)->begin(Purpose::Generate, R"({"messages":[]})");
    ASSERT_TRUE(session) << session.error().message;
    Collector out;
    EXPECT_EQ(std::get<Wait>(session->start(out)).duration, milliseconds{1});
    const auto send = std::get<SendSpec>(session->timer(out));
    EXPECT_EQ(send.url, "https://api.example/forever");
    EXPECT_EQ(send.body, R"({"messages":[]})");
    EXPECT_EQ(send.auth_mode, AuthMode::Bearer);
    EXPECT_EQ(send.headers, (transport::Headers{{"content-type", "application/json"}}));
    EXPECT_TRUE(std::holds_alternative<Continue>(session->head(200, {{"date", "x"}}, out)));
    EXPECT_TRUE(std::holds_alternative<Continue>(session->data("a line", "", out)));
    EXPECT_TRUE(std::holds_alternative<Done>(session->end(out)));
    EXPECT_EQ(out.answer().text, "a line");
    EXPECT_EQ(out.answer().finish, "stop");
    EXPECT_EQ(out.answer().usage.total, 3);
    EXPECT_EQ(out.answer().model, "forever-1");
}

TEST_P(Forever, FailsInItsOwnWords) {
    auto provider = Provider::create(image_, kConfig, GetParam());
    ASSERT_TRUE(provider);
    auto session = (*provider)->begin(Purpose::Generate, "{}");
    Collector out;
    session->start(out);
    session->timer(out);
    session->head(429, {}, out);
    const auto error = std::get<Error>(session->end(out));
    EXPECT_EQ(error.error_class, ErrorClass::RateLimited);
    EXPECT_EQ(error.retry_after, milliseconds{7'000});
    EXPECT_EQ(error.message, "the provider failed");
    EXPECT_EQ(error.provider_code, "forever");
    EXPECT_EQ((*provider)->begin(Purpose::Models, "{}").error().error_class, ErrorClass::Unsupported);
    EXPECT_NE(Provider::create(image_, "{}", GetParam()).error().message.find("base_url is missing"),
              std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, Forever,
                         testing::Values(config::Isolation::None, config::Isolation::Process));

TEST(ForeverImage, BringsItsTranscripts) {
    const auto image = PluginImage::open(fs::path(PLUGINS) / "forever.so");
    ASSERT_TRUE(image);
    EXPECT_NE((*image)->embeddedTranscripts().find("case a line"), std::string_view::npos);
}

}  // namespace
}  // namespace stepper::plugin
