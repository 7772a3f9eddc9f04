// Bodies that are written while they come to be, and the news that a response was written.
#include <atomic>
#include <cerrno>

#include <gtest/gtest.h>

#include "tests/unit/http/client.h"

namespace stepper::http::test {
namespace {

SteadyTime now() { return std::chrono::steady_clock::now(); }

// Streams at /stream what it is given, and counts the deliveries.
struct Streaming {
    std::atomic<int> delivered{0};
    TestServer server;

    explicit Streaming(std::function<void(Stream&)> body, ServerOptions options = {}, int status = 200)
        : server(routes(std::move(body), status), std::move(options)) {}

    std::vector<Route> routes(std::function<void(Stream&)> body, int status) {
        auto out = plainRoutes();
        out.push_back({"GET", "/stream", "", Body::None, Role::Anybody, [this, body, status](const Request&) {
                           return Response{.status = status,
                                           .content_type = "text/event-stream",
                                           .body = "not sent",
                                           .stream = body,
                                           .delivered = [this] { ++delivered; }};
                       }});
        return out;
    }
};

void writeTwo(Stream& s) {
    EXPECT_TRUE(s.write("one"));
    EXPECT_TRUE(s.write(""));
    EXPECT_TRUE(s.write("seventeen  bytes\n"));
}

constexpr std::string_view kTwoInChunks = "3\r\none\r\n11\r\nseventeen  bytes\n\r\n0\r\n\r\n";

TEST(Stream, IsChunkedAndTheConnectionGoesOn) {
    Streaming streaming(writeTwo);
    Client client(streaming.server.port());
    for (int i = 0; i < 3; ++i) {
        const auto reply = client.ask(get("/stream"));
        EXPECT_EQ(reply.status, 200);
        EXPECT_EQ(reply.header("transfer-encoding"), "chunked");
        EXPECT_EQ(reply.header("content-type"), "text/event-stream");
        EXPECT_EQ(reply.header("content-length"), "");
        EXPECT_EQ(reply.header("connection"), "Keep-Alive");
        EXPECT_EQ(client.take(kTwoInChunks.size()), kTwoInChunks);
    }
    EXPECT_EQ(client.ask(get("/hello")).body, R"({"hello":true})");
    EXPECT_EQ(streaming.delivered, 3);
}

TEST(Stream, IsSentWhileTheHandlerStillRuns) {
    Gate received;
    Streaming streaming([&](Stream& s) {
        s.write("first");
        EXPECT_TRUE(received.wait());
        s.write("last");
    });
    Client client(streaming.server.port());
    EXPECT_EQ(client.ask(get("/stream")).status, 200);
    EXPECT_EQ(client.take(10), "5\r\nfirst\r\n");
    EXPECT_EQ(streaming.delivered, 0);
    received.open();
    EXPECT_EQ(client.take(14), "4\r\nlast\r\n0\r\n\r\n");
}

TEST(Stream, HttpOneZeroEndsWithTheConnection) {
    Streaming streaming(writeTwo);
    Client client(streaming.server.port());
    const auto reply = client.ask("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(reply.header("connection"), "Close");
    EXPECT_EQ(reply.header("transfer-encoding"), "");
    errno = 0;
    EXPECT_EQ(client.rest(), "oneseventeen  bytes\n");
    EXPECT_EQ(errno, 0);
    ASSERT_TRUE(streaming.server.awaitTold(1));
    EXPECT_EQ(streaming.delivered, 1);
}

TEST(Stream, HeadAndBodilessStatusesSendOnlyTheHead) {
    const auto never = [](Stream&) { ADD_FAILURE(); };
    Streaming streaming(never);
    Streaming bodiless(never, {}, 204);
    Client head(streaming.server.port());
    head.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(head.read(true).header("transfer-encoding"), "chunked");
    EXPECT_EQ(head.ask(get("/hello")).status, 200);
    EXPECT_EQ(streaming.delivered, 0);
    Client empty(bodiless.server.port());
    EXPECT_EQ(empty.ask(get("/stream")).header("transfer-encoding"), "");
    EXPECT_EQ(empty.ask(get("/hello")).status, 200);
    EXPECT_EQ(bodiless.delivered, 1);
}

TEST(Stream, ThrowingEndsTheConnectionWithoutALastChunk) {
    Streaming streaming([](Stream& s) {
        s.write("one");
        throw std::runtime_error("secret");
    });
    Client client(streaming.server.port());
    EXPECT_EQ(client.ask(get("/stream")).status, 200);
    EXPECT_EQ(client.rest(), "3\r\none\r\n");
    EXPECT_TRUE(client.ended());
    ASSERT_TRUE(streaming.server.awaitTold(1));
    EXPECT_EQ(streaming.delivered, 0);
    const auto logged = streaming.server.logged();
    ASSERT_EQ(logged.size(), 1u);
    EXPECT_NE(logged[0].find("/stream failed: secret"), std::string::npos) << logged[0];
}

TEST(Stream, CutInHttpOneZeroIsAReset) {
    Streaming streaming([](Stream&) { throw std::runtime_error("cut"); });
    Client client(streaming.server.port());
    EXPECT_EQ(client.ask("GET /stream HTTP/1.0\r\n\r\n").status, 200);
    errno = 0;
    EXPECT_EQ(client.rest(), "");
    EXPECT_EQ(errno, ECONNRESET);
}

TEST(Stream, ClientThatLeavesCancelsAWaitingHandler) {
    Gate left;
    CancelReason reason = CancelReason::None;
    bool wrote = true;
    Streaming streaming([&](Stream& s) {
        s.write("one");
        reason = s.cancel().sleepUntil(now() + 5s);
        wrote = s.write("two");
        left.open();
    });
    Client client(streaming.server.port());
    EXPECT_EQ(client.ask(get("/stream")).status, 200);
    EXPECT_EQ(client.take(8), "3\r\none\r\n");
    const auto start = now();
    client.close();
    ASSERT_TRUE(left.wait());
    EXPECT_LT(now() - start, 1s);
    EXPECT_EQ(reason, CancelReason::ClientGone);
    EXPECT_FALSE(wrote);
    ASSERT_TRUE(streaming.server.awaitTold(1));
    EXPECT_EQ(streaming.delivered, 0);
}

TEST(Stream, ClientThatLeavesFailsTheWritesOfABusyHandler) {
    Gate left;
    Streaming streaming([&](Stream& s) {
        while (s.write("tick")) {
        }
        EXPECT_FALSE(s.write("tock"));
        left.open();
    });
    Client client(streaming.server.port());
    EXPECT_EQ(client.ask(get("/stream")).status, 200);
    const auto start = now();
    client.close();
    ASSERT_TRUE(left.wait());
    EXPECT_LT(now() - start, 1s);
    ASSERT_TRUE(streaming.server.awaitTold(1));
    EXPECT_EQ(streaming.delivered, 0);
}

TEST(Stream, ClientThatReadsNothingFailsAWriteAfterTheTimeout) {
    const std::string large(1u << 20, 'x');
    ServerOptions options;
    options.write_timeout = 200ms;
    Gate gave_up;
    SteadyTime last_write;
    SteadyTime failed;
    const auto fill = [&](Stream& s) {
        do last_write = now();
        while (s.write(large));
        failed = now();
        EXPECT_EQ(s.cancel().check(), CancelReason::None);
        gave_up.open();
    };
    Streaming streaming(fill, options);
    Client client(streaming.server.port());
    client.send(get("/stream"));
    ASSERT_TRUE(gave_up.wait());
    EXPECT_GE(failed - last_write, 190ms);
    EXPECT_LT(failed - last_write, 2s);
    EXPECT_FALSE(client.rest().ends_with("0\r\n\r\n"));
    ASSERT_TRUE(streaming.server.awaitTold(1));
    EXPECT_EQ(streaming.delivered, 0);
}

TEST(Stream, DrainThatRunsOutOfTimeCutsIt) {
    Gate entered;
    CancelReason reason = CancelReason::None;
    Streaming streaming([&](Stream& s) {
        s.write("one");
        entered.open();
        reason = s.cancel().sleepUntil(now() + 5s);
    });
    Client client(streaming.server.port());
    client.send(get("/stream"));
    ASSERT_TRUE(entered.wait());
    streaming.server->drain(now() + 50ms);
    EXPECT_EQ(reason, CancelReason::Draining);
    EXPECT_TRUE(client.rest().ends_with("\r\n3\r\none\r\n"));
    EXPECT_EQ(streaming.delivered, 0);
}

TEST(Stream, ItsBytesAreCounted) {
    Streaming streaming(writeTwo);
    Client client(streaming.server.port());
    client.send(get("/stream", "Connection: close\r\n"));
    const auto received = client.rest();
    EXPECT_TRUE(received.ends_with(kTwoInChunks));
    ASSERT_TRUE(streaming.server.awaitTold(1));
    EXPECT_EQ(streaming.server.told()[0].bytes_out, received.size());
}

TEST(Delivered, IsCalledOnceBeforeTheObserver) {
    std::atomic<int> delivered{0};
    int seen = -1;
    Gate told;
    const auto handler = [&](const Request&) {
        return Response{.body = "{}", .delivered = [&] { ++delivered; }};
    };
    const auto observer = [&](const Access&) {
        seen = delivered;
        told.open();
    };
    auto server = Server::bind({}, {{"GET", "/", "", Body::None, Role::Anybody, handler}}, {}, observer);
    ASSERT_TRUE(server.ok());
    (*server)->start();
    EXPECT_EQ(Client((*server)->port()).ask(get("/")).body, "{}");
    ASSERT_TRUE(told.wait());
    EXPECT_EQ(seen, 1);
    (*server)->drain(now() + 1s);
    EXPECT_EQ(delivered, 1);
}

TEST(Delivered, IsNotCalledWhenWritingFailed) {
    const std::string large(32u << 20, 'x');  // more than the kernel buffers
    std::atomic<int> delivered{0};
    ServerOptions options;
    options.write_timeout = 200ms;
    const auto handler = [&](const Request&) {
        return Response{.body = large, .delivered = [&] { ++delivered; }};
    };
    TestServer server({{"GET", "/large", "", Body::None, Role::Anybody, handler}}, options);
    Client client(server.port());
    client.send(get("/large"));
    ASSERT_TRUE(server.awaitTold(1));
    EXPECT_EQ(delivered, 0);
}

TEST(Delivered, ThrowingDoesNoHarm) {
    const auto handler = [](const Request&) { return Response{.body = "{}", .delivered = [] { throw 7; }}; };
    TestServer server({{"GET", "/", "", Body::None, Role::Anybody, handler}});
    Client client(server.port());
    EXPECT_EQ(client.ask(get("/")).status, 200);
    EXPECT_EQ(client.ask(get("/")).status, 200);
    ASSERT_TRUE(server.awaitTold(2));
    EXPECT_EQ(server.logged().size(), 2u);
}

}  // namespace
}  // namespace stepper::http::test
