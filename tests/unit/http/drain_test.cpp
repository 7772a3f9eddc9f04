// Cancellation: clients that leave, and a server that stops.
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/http/client.h"

namespace stepper::http::test {
namespace {

SteadyTime in(milliseconds d) { return std::chrono::steady_clock::now() + d; }
milliseconds since(SteadyTime start) {
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
}

// A route that waits to be cancelled, for 5 s at most, and one that waits for a gate.
struct Waiting {
    Gate entered, go, left;
    CancelReason reason = CancelReason::None;

    std::vector<Route> routes() {
        auto out = plainRoutes();
        out.push_back({"GET", "/cancel", "", Body::None, Role::Anybody, [this](const Request& r) {
                           entered.open();
                           reason = r.cancel->sleepUntil(in(5s));
                           left.open();
                           return Response::error(503, "CANCELLED", "stopped", r.id);
                       }});
        out.push_back({"GET", "/gate", "", Body::None, Role::Anybody, [this](const Request&) {
                           entered.open();
                           go.wait();
                           return Response::json(200, "{}");
                       }});
        return out;
    }
};

TEST(Cancel, ClientThatLeavesIsNoticedAtOnce) {
    Waiting waiting;
    TestServer server(waiting.routes());
    Client client(server.port());
    client.send(get("/cancel"));
    ASSERT_TRUE(waiting.entered.wait());
    const auto start = std::chrono::steady_clock::now();
    client.close();
    ASSERT_TRUE(waiting.left.wait());
    EXPECT_LT(since(start), 200ms);
    EXPECT_EQ(waiting.reason, CancelReason::ClientGone);
}

TEST(Drain, RunningRequestFinishesAndIdleConnectionsEnd) {
    Waiting waiting;
    TestServer server(waiting.routes());
    Client idle(server.port());
    ASSERT_EQ(idle.ask(get("/hello")).status, 200);
    Client busy(server.port());
    busy.send(get("/gate"));
    ASSERT_TRUE(waiting.entered.wait());
    // A client has its answer a moment before its request counts as over.
    const auto asked = std::chrono::steady_clock::now();
    while (server->inFlight() != 1 && since(asked) < 5s) std::this_thread::yield();
    EXPECT_EQ(server->inFlight(), 1);

    const auto start = std::chrono::steady_clock::now();
    std::thread draining([&] { server->drain(in(5s)); });
    EXPECT_TRUE(idle.ended());
    EXPECT_LT(since(start), 1000ms);
    Client late(server.port());
    EXPECT_EQ(late.ask(get("/hello")).status, 0);
    waiting.go.open();
    const auto reply = busy.read();
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("connection"), "Close");
    EXPECT_TRUE(busy.ended());
    draining.join();
    EXPECT_LT(since(start), 4000ms);
    EXPECT_EQ(server->inFlight(), 0);
}

TEST(Drain, WhoHasSentARequestIsAnswered) {
    for (int round = 0; round < 20; ++round) {
        TestServer server(plainRoutes());
        std::vector<std::unique_ptr<Client>> clients;
        for (int i = 0; i < 30; ++i) {
            clients.push_back(std::make_unique<Client>(server.port()));
            clients.back()->send(get("/hello"));
        }
        std::thread draining([&] { server->drain(in(5s)); });
        for (const auto& client : clients) EXPECT_EQ(client->read().status, 200);
        draining.join();
    }
}

TEST(Drain, DeadlineCancelsWhatStillRuns) {
    Waiting waiting;
    TestServer server(waiting.routes());
    Client client(server.port());
    client.send(get("/cancel"));
    ASSERT_TRUE(waiting.entered.wait());
    Client half(server.port());
    half.send("GET /hello HT");
    server->drain(in(100ms));
    EXPECT_EQ(waiting.reason, CancelReason::Draining);
    EXPECT_EQ(client.read().status, 503);
    expectError(half.read(), 503, "OVERLOADED");
    EXPECT_TRUE(half.ended());
}

// A request that has not arrived is no running work: it has a moment to arrive, not the whole drain.
TEST(Drain, WhatHasNotArrivedIsNotWaitedFor) {
    ServerOptions options;
    options.unsent_grace = 50ms;
    TestServer server(plainRoutes(), options);
    Client head(server.port()), body(server.port()), chunked(server.port()), dripping(server.port());
    const std::string post = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    head.send("GET /hello HTTP/1.1\r\nHo");
    body.send(post + "Content-Length: 1000\r\n\r\n{");
    chunked.send(post + "Transfer-Encoding: chunked\r\n\r\n5\r\n[");
    dripping.send("GET /hello HTTP/1.1\r\nX: ");
    std::thread drip([&] {
        while (dripping.send("a")) std::this_thread::sleep_for(5ms);
    });
    const auto start = std::chrono::steady_clock::now();
    server->drain(in(30s));
    EXPECT_LT(since(start), 3000ms);
    expectError(head.read(), 503, "OVERLOADED");
    expectError(body.read(), 503, "OVERLOADED");
    const auto reply = chunked.read();
    expectError(reply, 503, "OVERLOADED");
    EXPECT_EQ(reply.header("retry-after"), "1");
    drip.join();
}

TEST(Drain, HandlerThatIgnoresItsCancellationIsLeftBehind) {
    struct Gates {
        Gate entered, go;
    };
    const auto gates = std::make_shared<Gates>();  // shared: the handler could outlive a failing test
    const auto handler = [gates](const Request&) {
        gates->entered.open();
        gates->go.wait();
        return Response::json(200, "{}");
    };
    ServerOptions options;
    options.cancel_grace = 50ms;
    TestServer server({{"GET", "/stuck", "", Body::None, Role::Anybody, handler}}, options);
    Client client(server.port());
    client.send(get("/stuck"));
    ASSERT_TRUE(gates->entered.wait());

    const auto start = std::chrono::steady_clock::now();
    server->drain(in(10ms));
    EXPECT_LT(since(start), 1000ms);
    EXPECT_EQ(server.logged().size(), 1u);
    gates->go.open();
    EXPECT_TRUE(server.awaitTold(1));
}

TEST(Drain, UnstartedAndIdleServersStopAtOnce) {
    const auto start = std::chrono::steady_clock::now();
    {
        auto unstarted = Server::bind({}, plainRoutes(), {}, {});
        ASSERT_TRUE(unstarted.ok());
        TestServer idle(plainRoutes());
        idle->drain(in(5s));
        idle->drain(in(5s));
    }
    EXPECT_LT(since(start), 2500ms);
}

}  // namespace
}  // namespace stepper::http::test
