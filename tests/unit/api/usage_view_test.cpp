#include "core/api/usage_view.h"

#include <gtest/gtest.h>

#include "tests/unit/engine/notes_store.h"

namespace stepper::api {
namespace {

using engine::Day;
using engine::UsageCounts;

TEST(UsageWriter, DaysTenantsProvidersAndTheTotal) {
    const Day day = std::chrono::floor<std::chrono::days>(ManualClock().wall());
    UsageCounts priced{3, 1, 100, 20, 0.25}, free{2, 0, 7, 3, {}};
    UsageWriter writer;
    writer.day(day);
    writer.tenant("", {{"local", free}});
    std::string json = writer.take();
    writer.tenant("t", {{"groq", priced}, {"local", free}});
    writer.day(day - std::chrono::days(1));
    writer.end({});
    json += writer.take();
    EXPECT_EQ(
        json,
        R"({"days":[{"day":"2026-01-01","tenants":[)"
        R"({"tenant":"","providers":[{"provider":"local","requests":2,"failed":0,"promptTokens":7,"completionTokens":3}]},)"
        R"({"tenant":"t","providers":[{"provider":"groq","requests":3,"failed":1,"promptTokens":100,"completionTokens":20,)"
        R"("estimatedCost":0.25},{"provider":"local","requests":2,"failed":0,"promptTokens":7,"completionTokens":3}]}]},)"
        R"({"day":"2025-12-31","tenants":[]}],)"
        R"("total":{"requests":7,"failed":1,"promptTokens":114,"completionTokens":26,"estimatedCost":0.25}})");
    EXPECT_EQ(writer.take(), "");
}

TEST(UsageWriter, WithoutAPriceThereIsNoCost) {
    UsageWriter writer;
    writer.end({"a warning"});
    EXPECT_EQ(writer.take(),
              R"({"days":[],"total":{"requests":0,"failed":0,"promptTokens":0,"completionTokens":0},)"
              R"("warnings":["a warning"]})");
}

// Keeps what is written, and how much of it at once.
class Kept final : public http::Stream {
public:
    bool write(std::span<const std::string_view> pieces) override {
        const size_t before = all.size();
        for (const auto piece : pieces) all += piece;
        most = std::max(most, all.size() - before);
        if (broken_behind && all.size() > broken_behind) notes->reads_fail = true;
        return true;
    }
    CancelToken& cancel() override { return token_; }

    std::string all;
    size_t most = 0, broken_behind = 0;
    engine::NotesStore* notes = nullptr;

private:
    CancelToken token_;
};

class UsageOf : public testing::Test {
protected:
    void written(int tenants) {
        const std::string prefix = "usage/2026-01-01/tenant";
        for (int i = 0; i < tenants; ++i)
            store_.texts[prefix + std::to_string(100'000 + i)] = R"({"p":[1,0,10,5,null]})";
    }
    http::Response get(std::vector<std::pair<std::string, std::string>> query = {}) {
        http::Request request;
        request.query = std::move(query);
        return usage(request, keeper_);
    }

    ManualClock clock_;
    engine::NotesStore store_;
    engine::Usage usage_{clock_};
    engine::UsageKeeper keeper_{usage_, store_};
};

TEST_F(UsageOf, AFewTenantsIsOneBody) {
    written(3);
    const auto response = get({{"days", "2"}});
    EXPECT_FALSE(response.stream);
    const auto parsed = json::parse(response.body);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(json::at(*parsed, "/days/0/tenants")->Size(), 3u);
    EXPECT_EQ(json::at(*parsed, "/days/1/tenants")->Size(), 0u);
    EXPECT_EQ(json::at(*parsed, "/total/requests")->GetInt(), 3);
}

TEST_F(UsageOf, OneTenantIsFoundAmongMany) {
    written(5'000);
    const auto response = get({{"tenant", "tenant104000"}});
    EXPECT_FALSE(response.stream);
    EXPECT_EQ(json::parse(response.body)->FindMember("total")->value["requests"].GetInt(), 1);
    EXPECT_EQ(store_.most_read, 1u);
    EXPECT_NE(get({{"tenant", "tenant"}}).body.find(R"("tenants":[]})"), std::string::npos);
}

TEST_F(UsageOf, ManyTenantsLeaveAsTheyAreRead) {
    constexpr int kMany = 20'000;
    written(kMany);
    const auto response = get();
    ASSERT_TRUE(response.stream);
    Kept kept;
    response.stream(kept);
    EXPECT_LT(kept.most, 32u << 10);
    EXPECT_LE(store_.most_read, 50u);
    const auto parsed = json::parse(kept.all, {.max_nodes = 1'000'000});
    ASSERT_TRUE(parsed) << parsed.error().message;
    const auto& tenants = *json::at(*parsed, "/days/0/tenants");
    ASSERT_EQ(tenants.Size(), static_cast<unsigned>(kMany));
    EXPECT_EQ(json::string(tenants[0], "tenant"), "tenant100000");
    EXPECT_EQ(json::string(tenants[kMany - 1], "tenant"), "tenant119999");
    EXPECT_EQ(json::at(*parsed, "/total/requests")->GetInt(), kMany);
}

TEST_F(UsageOf, AStoreThatFailsIsAnAnswerOrACut) {
    store_.reads_fail = true;
    EXPECT_EQ(get().status, 503);
    store_.reads_fail = false;
    written(20'000);
    const auto response = get();
    ASSERT_TRUE(response.stream);
    Kept kept;
    kept.notes = &store_;
    kept.broken_behind = 1;
    EXPECT_THROW(response.stream(kept), std::runtime_error);
    EXPECT_FALSE(json::parse(kept.all, {.max_nodes = 1'000'000}));
}

}  // namespace
}  // namespace stepper::api
