// The session driver against a plugin that breaks every rule: each is an INTERNAL failure that names the
// rule.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/plugin/abi/collector.h"

namespace stepper::plugin {
namespace {

using testing::HasSubstr;

class Rogue : public testing::Test {
protected:
    static void SetUpTestSuite() {
        LoadOptions options;
        options.copies_dir = testing::TempDir() + "stepper-rogue-" + std::to_string(::getpid());
        auto image = PluginImage::load(std::string(PLUGINS) + "/rogue.so", options);
        ASSERT_TRUE(image) << image.error().message;
        provider_ = *Provider::create(*image, "{}");
        std::filesystem::remove_all(options.copies_dir);
    }
    static void TearDownTestSuite() { provider_.reset(); }

    static Result<Session> begin(const std::string& rule) {
        return provider_->begin(Purpose::Generate, "{\"break\":\"" + rule + "\"}");
    }
    static std::string broken(const Action& action) {
        const auto* error = std::get_if<Error>(&action);
        if (!error) return "accepted";
        EXPECT_EQ(error->error_class, ErrorClass::Internal);
        return error->message;
    }

    static inline std::shared_ptr<const Provider> provider_;
    Collector out_;
};

TEST_F(Rogue, RulesBrokenAtTheStart) {
    const std::pair<const char*, const char*> cases[] = {
        {"continue at start", "continue while nothing was under way"},
        {"unknown action", "unknown action 99"},
        {"throw", "exception"},
        {"throw an int", "exception"},
        {"emit not utf-8", "not UTF-8"},
        {"emit null with a length", "wrong length"},
        {"emit an absurd length", "wrong length"},
        {"emit usage that is no json", "not JSON"},
        {"fail with a wrong length", "wrong length"},
        {"send to a file", "not an http(s) URL"},
        {"send a url of two lines", "not an http(s) URL"},
        {"send a split header", "invalid header"},
        {"send headers from nowhere", "wrong number of headers"},
        {"send an unknown body mode", "unknown body mode"},
        {"send without a header for the key", "no header or parameter for the key"}};
    for (const auto& [rule, words] : cases) {
        auto session = begin(rule);
        ASSERT_TRUE(session) << rule;
        EXPECT_THAT(broken(session->start(out_)), HasSubstr(words)) << rule;
    }
}

TEST_F(Rogue, RulesBrokenDuringAnExchange) {
    const std::pair<const char*, const char*> cases[] = {{"send twice at once", "exchange was still open"},
                                                         {"wait while open", "exchange was still open"}};
    for (const auto& [rule, words] : cases) {
        auto session = begin(rule);
        ASSERT_TRUE(std::holds_alternative<SendSpec>(session->start(out_)));
        EXPECT_THAT(broken(session->head(200, {}, out_)), HasSubstr(words)) << rule;
    }
    auto session = begin("continue after the end");
    ASSERT_TRUE(std::holds_alternative<SendSpec>(session->start(out_)));
    session->head(200, {}, out_);
    EXPECT_THAT(broken(session->end(out_)), HasSubstr("nothing was under way"));
}

TEST_F(Rogue, AnEndlessConversationEnds) {
    auto session = begin("send for ever");
    Action action = session->start(out_);
    int sends = 0;
    while (std::holds_alternative<SendSpec>(action) && sends < 1000) {
        ++sends;
        session->head(200, {}, out_);
        action = session->end(out_);
    }
    EXPECT_THAT(broken(action), HasSubstr("more than"));
    EXPECT_LT(sends, 100);
}

TEST_F(Rogue, UnknownValuesAreTakenAsTheAbiSays) {
    auto unknown_class = begin("fail with an unknown class");
    EXPECT_EQ(broken(unknown_class->start(out_)), "odd");
    auto unknown_kind = begin("emit an unknown kind");
    EXPECT_TRUE(std::holds_alternative<Done>(unknown_kind->start(out_)));
    EXPECT_EQ(out_.answer().model, "m");
}

TEST_F(Rogue, AnErrorTextOfAnyClaimedLengthIsBounded) {
    const auto session = begin("begin with a long error");
    ASSERT_FALSE(session);
    EXPECT_LE(session.error().message.size(), 1100u);
}

}  // namespace
}  // namespace stepper::plugin
