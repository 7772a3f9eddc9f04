// The control API, counters, log, per-request overrides and limits of concurrency.
#include <thread>

#include <Poco/Exception.h>
#include <gtest/gtest.h>

#include "core/base/id.h"
#include "tests/unit/sim/raw_client.h"

namespace stepper::sim {
namespace {

constexpr auto kAsk = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";

struct ControlTest : SimTest {
    Received ask(const std::string& instance, std::string_view headers = {}) {
        return sim.call("POST", "/p/" + instance + "/v1/chat/completions", kAsk, headers);
    }
};

TEST_F(ControlTest, InstancesAreApart) {
    sim.put("gemini", R"({"steps":[{"status":429,"retry_after":"7"}]})");
    sim.put("cohere", R"({"steps":[{"status":503}]})");
    EXPECT_EQ(ask("gemini").status(), 429);
    EXPECT_EQ(ask("gemini").header("retry-after"), "7");
    EXPECT_EQ(ask("cohere").status(), 503);
    EXPECT_EQ(ask("openai").status(), 200);
    EXPECT_EQ(sim.call("POST", "/v1/chat/completions", kAsk).status(), 200);
    EXPECT_EQ(sim.counters("gemini").by_status.at(429), 2u);
    EXPECT_EQ(sim.counters("default").requests, 1u);
}

TEST_F(ControlTest, ShowsBehaviourAndCounters) {
    sim.put("one", R"({"steps":[{"status":503},{"ok":true}]})");
    ask("one");
    ask("one");
    const auto shown = sim.call("GET", "/_sim/p/one").json();
    EXPECT_EQ(json::at(shown, "/behaviour/steps/0/status")->GetInt(), 503);
    EXPECT_EQ(json::at(shown, "/counters/requests")->GetInt(), 2);
    EXPECT_EQ(json::at(shown, "/counters/by_status/503")->GetInt(), 1);
    EXPECT_EQ(json::at(shown, "/counters/in_flight")->GetInt(), 0);
    EXPECT_GT(json::at(shown, "/counters/completion_tokens")->GetInt(), 0);
    const auto stats = sim.call("GET", "/_sim/stats").json();
    EXPECT_EQ(json::at(stats, "/instances/one/by_status/200")->GetInt(), 1);
    EXPECT_TRUE(json::string(stats, "blackhole"));
}

TEST_F(ControlTest, RefusesWhatItDoesNotKnow) {
    const auto reply = sim.call("PUT", "/_sim/p/one", R"({"stps":[]})");
    EXPECT_EQ(reply.status(), 400);
    EXPECT_EQ(json::string(reply.json(), "error"), "behaviour: unknown member 'stps', did you mean 'steps'?");
    EXPECT_EQ(sim.call("PUT", "/_sim/p/one", "{").status(), 400);
    EXPECT_EQ(sim.call("POST", "/_sim/p/one", "{}").status(), 405);
    EXPECT_EQ(sim.call("GET", "/_sim/nope").status(), 404);
    EXPECT_EQ(sim.call("GET", "/_sim/log?limit=x").status(), 400);
}

TEST_F(ControlTest, ResetForgetsEverything) {
    sim.put("one", R"({"steps":[{"status":503}]})");
    ask("one");
    EXPECT_EQ(sim.call("POST", "/_sim/reset").status(), 200);
    EXPECT_EQ(ask("one").status(), 200);
    EXPECT_EQ(sim.counters("one").requests, 1u);
    EXPECT_EQ(sim.call("GET", "/_sim/log").json().Size(), 1u);
    sim.call("DELETE", "/_sim/p/one");
    EXPECT_EQ(sim.counters("one").requests, 0u);
}

TEST_F(ControlTest, LogsWhatArrivedAndWhatWasSent) {
    sim.put("one", R"({"steps":[{"status":429}]})");
    ask("one", "Authorization: Bearer secret\r\n");
    ask("two");
    const auto all = sim.call("GET", "/_sim/log").json();
    ASSERT_EQ(all.Size(), 2u);
    const auto& first = all[0];
    EXPECT_EQ(json::string(first, "instance"), "one");
    EXPECT_EQ(json::string(first, "path"), "/p/one/v1/chat/completions");
    EXPECT_EQ(json::string(first, "format"), "openai");
    EXPECT_EQ(json::string(first, "model"), "m");
    EXPECT_EQ(json::integer(first, "status"), 429);
    EXPECT_EQ(json::boolean(first, "auth"), true);
    EXPECT_EQ(json::string(first, "key_sha256"), sha256Hex("secret"));
    EXPECT_EQ(json::string(first, "body"), kAsk);
    EXPECT_EQ(json::boolean(all[1], "auth"), false);
    EXPECT_EQ(sim.call("GET", "/_sim/log?instance=two").json().Size(), 1u);
    const auto last = sim.call("GET", "/_sim/log?limit=1").json();
    ASSERT_EQ(last.Size(), 1u);
    EXPECT_EQ(json::string(last[0], "instance"), "two");
}

TEST_F(ControlTest, AHangingRequestIsLoggedAtOnceAndItsEndLater) {
    sim.put("one", R"({"steps":[{"hang":"head"}]})");
    RawClient client(sim.server.url());
    client.send(request("POST", "/p/one/v1/chat/completions", kAsk));
    const auto entry = [&] { return sim.call("GET", "/_sim/log?instance=one").json(); };
    const auto until = clock.now() + std::chrono::seconds(5);
    while (entry().Size() == 0 && clock.now() < until) std::this_thread::yield();
    EXPECT_EQ(json::boolean(entry()[0], "done"), false);
    client.close();
    ASSERT_TRUE(sim.eventually("one", [](const Counters& c) { return c.in_flight == 0; }));
    EXPECT_EQ(json::integer(entry()[0], "status"), 0);
    EXPECT_TRUE(json::integer(entry()[0], "client_gone_ms"));
}

TEST_F(ControlTest, ARequestWithoutABodyHasAnEmptyOne) {
    RawClient client(sim.server.url());
    const auto post = [&](const std::string& target) {
        client.send("POST " + target + " HTTP/1.1\r\nHost: sim\r\n\r\n");
        return client.receive().status();
    };
    EXPECT_EQ(post("/_sim/reset"), 200);
    EXPECT_EQ(post("/p/one/v1/chat/completions"), 400);
    EXPECT_EQ(post("/_sim/reset"), 200);
}

TEST_F(ControlTest, APortIsNotShared) {
    const auto port = std::stoi(sim.server.url().substr(sim.server.url().rfind(':') + 1));
    Simulator other(clock);
    EXPECT_THROW(Server(other, "127.0.0.1", static_cast<uint16_t>(port)), Poco::Exception);
}

TEST_F(ControlTest, OneRequestMayAskForAStep) {
    EXPECT_EQ(ask("one", "x-sim: {\"status\":503}\r\n").status(), 503);
    const auto wrong = ask("one", "x-sim: {\"statu\":503}\r\n");
    EXPECT_EQ(wrong.status(), 400);
    EXPECT_NE(wrong.body().find("did you mean 'status'?"), std::string::npos);
    EXPECT_EQ(ask("one").status(), 200);
}

TEST_F(ControlTest, ConcurrencyIsCountedAndLimited) {
    sim.put("one", R"({"max_concurrency":2,"steps":[{"hang":"head"},{"hang":"head"},{"ok":true}]})");
    RawClient a(sim.server.url()), b(sim.server.url());
    a.send(request("POST", "/p/one/v1/chat/completions", kAsk));
    b.send(request("POST", "/p/one/v1/chat/completions", kAsk));
    ASSERT_TRUE(sim.eventually("one", [](const Counters& c) { return c.in_flight == 2; }));
    EXPECT_EQ(ask("one").status(), 429);
    EXPECT_EQ(sim.counters("one").max_in_flight, 3u);
    a.close();
    ASSERT_TRUE(sim.eventually("one", [](const Counters& c) { return c.in_flight == 1; }));
    EXPECT_EQ(ask("one").status(), 200);
}

TEST_F(ControlTest, CountsExactlyUnderLoad) {
    sim.put("one", R"({"quota":{"requests":50,"per_ms":60000}})");
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i)
        clients.emplace_back([&] {
            RawClient client(sim.server.url());
            for (int n = 0; n < 25; ++n) {
                client.send(request("POST", "/p/one/v1/chat/completions", kAsk));
                EXPECT_EQ(client.receive().end, Received::End::Complete);
            }
        });
    for (auto& c : clients) c.join();
    const auto counters = sim.counters("one");
    EXPECT_EQ(counters.requests, 200u);
    EXPECT_EQ(counters.by_status.at(200), 50u);
    EXPECT_EQ(counters.by_status.at(429), 150u);
    EXPECT_EQ(counters.connections, 8u);
    EXPECT_EQ(counters.in_flight, 0u);
    EXPECT_LE(counters.max_in_flight, 8u);
}

TEST_F(ControlTest, AcceptsHundredsOfConnectionsAtOnce) {
    sim.put("one", R"({"steps":[{"hang":"head"}]})");
    constexpr size_t kClients = 300;
    std::vector<std::unique_ptr<RawClient>> clients;
    for (size_t i = 0; i < kClients; ++i) {
        clients.push_back(std::make_unique<RawClient>(sim.server.url()));
        clients.back()->send(request("POST", "/p/one/v1/chat/completions", kAsk));
    }
    EXPECT_TRUE(sim.eventually("one", [](const Counters& c) { return c.in_flight == kClients; }));
    clients.clear();
    EXPECT_TRUE(sim.eventually("one", [](const Counters& c) { return c.aborted == kClients; }));
}

}  // namespace
}  // namespace stepper::sim
