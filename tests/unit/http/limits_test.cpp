// Deadlines, sizes, media types and overload.
#include <atomic>
#include <thread>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/http/client.h"

namespace stepper::http::test {
namespace {

milliseconds since(SteadyTime start) {
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
}

ServerOptions impatient() {
    ServerOptions options;
    options.head_timeout = 200ms;
    options.body_timeout = 200ms;
    options.keep_alive = 200ms;
    options.write_timeout = 200ms;
    options.max_body = 1000;
    return options;
}

// Sends a byte every 20 ms for as long as the server takes them, at most 2 s.
void drip(Client& client) {
    timeval pause{0, 20'000};
    ::setsockopt(client.fd(), SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof pause);
    char byte;
    for (int i = 0; i < 100 && client.send("a"); ++i)
        if (::recv(client.fd(), &byte, 1, MSG_PEEK) >= 0) break;
    timeval five{5, 0};
    ::setsockopt(client.fd(), SOL_SOCKET, SO_RCVTIMEO, &five, sizeof five);
}

// The plain routes, and one whose answer waits for the gate.
std::vector<Route> routesWith(Gate& go, std::atomic<int>& waiting) {
    auto routes = plainRoutes();
    routes.push_back({"GET", "/wait", "", Body::None, Role::Anybody, [&](const Request&) {
                          ++waiting;
                          go.wait();
                          return Response::json(200, "{}");
                      }});
    return routes;
}

void awaitCount(const std::atomic<int>& count, int wanted) {
    const auto until = std::chrono::steady_clock::now() + 5s;
    while (count < wanted && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    ASSERT_EQ(count, wanted);
}

TEST(Limits, DrippedHeadIsCutOffAtItsDeadline) {
    TestServer server(plainRoutes(), impatient());
    Client client(server.port());
    const auto start = std::chrono::steady_clock::now();
    client.send("GET /hello HTTP/1.1\r\nHost: a\r\nX: ");
    drip(client);
    expectError(client.read(), 408, "TIMEOUT");
    EXPECT_TRUE(client.ended());
    EXPECT_GE(since(start), 190ms);
    EXPECT_LT(since(start), 1500ms);
}

TEST(Limits, SlowBodyIsCutOffAtItsDeadline) {
    TestServer server(plainRoutes(), impatient());
    Client client(server.port());
    const auto start = std::chrono::steady_clock::now();
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n");
    drip(client);
    expectError(client.read(), 408, "TIMEOUT");
    EXPECT_TRUE(client.ended());
    EXPECT_LT(since(start), 1500ms);
}

TEST(Limits, IdleConnectionsAreClosedSilently) {
    TestServer server(plainRoutes(), impatient());
    Client fresh(server.port());
    Client used(server.port());
    EXPECT_EQ(used.ask(get("/hello")).status, 200);
    EXPECT_TRUE(fresh.ended());
    EXPECT_TRUE(used.ended());
}

TEST(Limits, ClientThatReadsNothingIsGivenUp) {
    const std::string large(32u << 20, 'x');  // more than the kernel buffers
    std::vector<Route> routes{{"GET", "/large", "", Body::None, Role::Anybody,
                               [&](const Request&) { return Response::json(200, large); }}};
    TestServer server(std::move(routes), impatient());
    Client client(server.port());
    client.send(get("/large"));
    EXPECT_TRUE(server.awaitTold(1));
}

// Reads a little at a time, so that the server always makes some progress; until the connection ends, at most
// 5 s.
size_t sip(Client& client, size_t bytes, milliseconds pause) {
    size_t taken = 0;
    std::string buffer(bytes, ' ');
    for (const auto start = std::chrono::steady_clock::now(); since(start) < 5s;) {
        const auto n = ::recv(client.fd(), buffer.data(), buffer.size(), 0);
        if (n <= 0) break;
        taken += static_cast<size_t>(n);
        std::this_thread::sleep_for(pause);
    }
    return taken;
}

TEST(Limits, ClientThatReadsTooSlowlyIsGivenUp) {
    const std::string large(32u << 20, 'x');
    const auto shared = std::make_shared<const std::string>(large);
    std::vector<Route> routes{{"GET", "/whole", "", Body::None, Role::Anybody,
                               [&](const Request&) { return Response::json(200, large); }},
                              {"GET", "/shared", "", Body::None, Role::Anybody,
                               [&](const Request&) { return Response{.shared = shared}; }},
                              {"GET", "/stream", "", Body::None, Role::Anybody, [&](const Request&) {
                                   return Response{.stream = [&](Stream& s) { s.write(large); }};
                               }}};
    auto options = impatient();
    options.min_rate = 64u << 20;  // half a second for these
    TestServer server(std::move(routes), options);
    for (const auto* path : {"/whole", "/shared", "/stream"}) {
        Client client(server.port());
        client.send(get(path));
        EXPECT_LT(sip(client, 128u << 10, 20ms), large.size()) << path;
    }
    EXPECT_TRUE(server.awaitTold(3));
}

// Each of its writes makes progress in time; all together do not.
TEST(Limits, ClientThatReadsAStreamOfManyPartsTooSlowlyIsGivenUp) {
    const std::string part(64u << 10, 'x');
    constexpr size_t kParts = 256;
    auto options = impatient();
    options.min_rate = 64u << 20;  // a quarter of a second for all
    TestServer server({{"GET", "/stream", "", Body::None, Role::Anybody,
                        [&](const Request&) {
                            return Response{.stream = [&](Stream& s) {
                                for (size_t i = 0; i < kParts && s.write(part); ++i) {
                                }
                            }};
                        }}},
                      options);
    Client client(server.port());
    client.send(get("/stream"));
    EXPECT_LT(sip(client, 128u << 10, 20ms), kParts * part.size());
    EXPECT_TRUE(server.awaitTold(1));
}

TEST(Limits, SharedBodyIsSentLikeAnyOther) {
    const auto shared = std::make_shared<const std::string>(R"({"a":1})");
    std::vector<Route> routes{{"GET", "/shared", "", Body::None, Role::Anybody,
                               [&](const Request&) { return Response{.shared = shared}; }}};
    TestServer server(std::move(routes), {});
    Client client(server.port());
    const auto reply = client.ask(get("/shared"));
    EXPECT_EQ(reply.body, *shared);
    EXPECT_EQ(reply.header("content-length"), "7");
    client.send("HEAD /shared HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.read(true).header("content-length"), "7");
    EXPECT_EQ(client.ask(get("/shared")).body, *shared);
}

struct Budgeted {
    static constexpr size_t kLarge = 300'000;
    std::shared_ptr<ByteBudget> budget = std::make_shared<ByteBudget>(400'000);
    Gate go;
    std::atomic<int> waiting{0};
    TestServer server;

    Budgeted() : server(routes(), options()) {}

    ServerOptions options() {
        ServerOptions out;
        out.bodies = budget;
        return out;
    }
    std::vector<Route> routes() {
        auto out = plainRoutes();
        out.push_back({"GET", "/large", "", Body::None, Role::Anybody,
                       [](const Request&) { return Response::json(200, std::string(kLarge, '1')); }});
        out.push_back({"POST", "/large", "", Body::Json, Role::Anybody,
                       [](const Request&) { return Response::json(200, std::string(kLarge, '1')); }});
        out.push_back({"POST", "/kept", "", Body::Json, Role::Anybody, [](const Request&) {
                           return Response{.body = std::string(kLarge, '1'), .repeatable = true};
                       }});
        out.push_back({"POST", "/hold", "", Body::Json, Role::Anybody, [this](const Request& r) {
                           ++waiting;
                           EXPECT_TRUE(go.wait());
                           return Response::json(200, std::to_string(r.body.size()));
                       }});
        return out;
    }
};

TEST(Limits, ABodyThatIsSkippedTakesNothingOfTheBudget) {
    Budgeted b;
    Client holder(b.server.port()), other(b.server.port());
    holder.send(postJson("/hold", std::string(Budgeted::kLarge, '1')));
    awaitCount(b.waiting, 1);
    ByteBudget::Share rest(*b.budget);
    rest.take(2 * Budgeted::kLarge);
    expectError(other.ask(postJson("/nothing", std::string(60'000, '1'))), 404, "NOT_FOUND");
    EXPECT_EQ(other.ask(get("/hello")).status, 200);
    b.go.open();
    EXPECT_EQ(holder.read().status, 200);
}

TEST(Limits, BodiesBeyondTheBudgetAre503AndSmallOnesAreServed) {
    Budgeted b;
    Client holder(b.server.port());
    holder.send(postJson("/hold", std::string(Budgeted::kLarge, '1')));
    awaitCount(b.waiting, 1);
    EXPECT_EQ(b.budget->used(), Budgeted::kLarge - ByteBudget::kFree);

    for (const auto& request :
         {postJson("/echo", std::string(Budgeted::kLarge, '1')), get("/large"), postJson("/kept", "1")}) {
        const auto reply = Client(b.server.port()).ask(request);
        expectError(reply, 503, "OVERLOADED");
        EXPECT_EQ(reply.header("retry-after"), "1");
    }
    EXPECT_EQ(Client(b.server.port()).ask(get("/hello")).status, 200);
    EXPECT_EQ(Client(b.server.port()).ask(postJson("/echo", std::string(10'000, '1'))).status, 200);
    // It may have been paid for.
    EXPECT_EQ(Client(b.server.port()).ask(postJson("/large", "1")).body.size(), Budgeted::kLarge);

    b.go.open();
    EXPECT_EQ(holder.read().status, 200);
    b.server->drain(std::chrono::steady_clock::now() + 5s);
    EXPECT_EQ(b.budget->used(), 0u);
}

TEST(Limits, ChunkedBodyIsCountedAsItComes) {
    Budgeted b;
    Client client(b.server.port());
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "186a0\r\n" + std::string(100'000, '1') + "\r\n";
    for (int i = 0; i < 5; ++i) client.send(chunk);
    expectError(client.read(), 503, "OVERLOADED");
}

TEST(Limits, BodyOverTheLimitIs413) {
    TestServer server(plainRoutes(), impatient());
    const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    const std::string chunk = "1f4\r\n" + std::string(500, '1') + "\r\n";
    for (const auto& request :
         {head + "Content-Length: 1001\r\n\r\n", head + "Content-Length: 5000000000\r\n\r\n{",
          head + "Transfer-Encoding: chunked\r\n\r\n" + chunk + chunk + "1\r\n1\r\n0\r\n\r\n",
          head + "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n"}) {
        Client client(server.port());
        const auto reply = client.ask(request);
        expectError(reply, 413, "PAYLOAD_TOO_LARGE");
        EXPECT_EQ(reply.header("connection"), "Close");
        EXPECT_TRUE(client.ended());
    }
    EXPECT_EQ(Client(server.port()).ask(postJson("/echo", std::string(1000, '1'))).status, 200);
}

TEST(Limits, RefusalReachesAClientThatIsStillSending) {
    TestServer server(plainRoutes(), impatient());
    Client client(server.port());
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 400000\r\n\r\n");
    client.send(std::string(400'000, '1'));
    expectError(client.read(), 413, "PAYLOAD_TOO_LARGE");
}

TEST(Limits, ExpectContinueIsHonoured) {
    TestServer server(plainRoutes());
    Client client(server.port());
    const std::string head =
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: "
        "100-continue\r\nContent-Length: 3\r\n\r\n";
    EXPECT_EQ(client.ask(head).status, 100);
    EXPECT_EQ(client.ask("[1]").body, "[1]");
    // Not invited: refused before the body, and the connection ends since the body may or may not follow.
    const auto reply =
        client.ask("POST /nothing HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    expectError(reply, 404, "NOT_FOUND");
    EXPECT_TRUE(client.ended());
}

TEST(Limits, OnlyJsonBodiesAreTaken) {
    TestServer server(plainRoutes());
    Client client(server.port());
    const auto post = [&](const std::string& headers) {
        return client.ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n" + headers + "\r\n{}");
    };
    EXPECT_EQ(post("Content-Type: application/json; charset=utf-8\r\n").status, 200);
    EXPECT_EQ(post("Content-Type: application/merge-patch+json\r\nContent-Encoding: identity\r\n").status,
              200);
    for (const char* headers :
         {"Content-Type: text/plain\r\n", "Content-Type: application/json; charset=utf-16\r\n",
          "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"})
        expectError(post(headers), 415, "UNSUPPORTED_MEDIA_TYPE");
    EXPECT_EQ(client.ask("POST /echo HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
    const auto untyped = post("");
    EXPECT_EQ(untyped.status, 200);
    EXPECT_EQ(untyped.body, "") << "an untyped body counts as empty";
}

TEST(Limits, BodyNobodyReadsIsSkippedOrEndsTheConnection) {
    TestServer server(plainRoutes());
    Client client(server.port());
    const std::string head = "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: ";
    EXPECT_EQ(client.ask(head + "3\r\n\r\nabc" + get("/v1/jobs/next")).status, 200);
    EXPECT_EQ(client.read().body, "next");
    EXPECT_EQ(client.ask(head + "70000\r\n\r\n").header("connection"), "Close");
}

TEST(Limits, ConnectionsOverTheLimitAreTurnedAway) {
    ServerOptions options;
    options.max_connections = 2;
    Gate go;
    std::atomic<int> waiting{0};
    TestServer server(routesWith(go, waiting), options);
    Client first(server.port()), second(server.port());
    first.send(get("/wait"));
    second.send(get("/wait"));
    awaitCount(waiting, 2);
    Client third(server.port());
    const auto reply = third.ask(get("/hello"));
    expectError(reply, 503, "OVERLOADED");
    EXPECT_EQ(reply.header("retry-after"), "1");
    go.open();
    EXPECT_EQ(first.read().status, 200);
    EXPECT_EQ(second.read().status, 200);
}

// h2o/h2o#1890, sozu-proxy/sozu#644: idle connections must not keep out clients that have a request.
TEST(Limits, TheLongestIdleConnectionMakesRoom) {
    ServerOptions options;
    options.max_connections = 3;
    Gate go;
    std::atomic<int> waiting{0};
    TestServer server(routesWith(go, waiting), options);
    Client busy(server.port()), older(server.port()), younger(server.port());
    EXPECT_EQ(older.ask(get("/hello")).status, 200);
    // Often, for a connection begins to wait only after its response was read here.
    for (int i = 0; i < 20; ++i) EXPECT_EQ(younger.ask(get("/hello")).status, 200);
    busy.send(get("/wait"));
    awaitCount(waiting, 1);

    Client fresh(server.port());
    EXPECT_EQ(fresh.ask(get("/hello")).status, 200);
    EXPECT_TRUE(older.ended());
    EXPECT_EQ(younger.ask(get("/hello")).status, 200) << "idle for less long";
    go.open();
    EXPECT_EQ(busy.read().status, 200) << "not idle at all";
}

// oven-sh/bun#37889: who is in the middle of a request is not idle, however little of it has come.
TEST(Limits, HalfARequestKeepsItsPlace) {
    ServerOptions options;
    options.max_connections = 2;
    TestServer server(plainRoutes(), options);
    Client head(server.port()), body(server.port());
    EXPECT_EQ(head.ask(get("/hello")).status, 200);
    EXPECT_EQ(body.ask(get("/hello")).status, 200);
    head.send("GET /hello HTTP/1.1\r\nHo");
    body.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n[");
    expectError(Client(server.port()).ask(get("/hello")), 503, "OVERLOADED");
    head.send("st: a\r\n\r\n");
    EXPECT_EQ(head.read().status, 200);
    body.send("1]");
    EXPECT_EQ(body.read().body, "[1]");
}

TEST(Limits, RoomIsMadeForEveryNewcomer) {
    ServerOptions options;
    options.max_connections = 4;
    TestServer server(plainRoutes(), options);
    std::vector<std::unique_ptr<Client>> clients;
    // A busy machine may not yet have noticed that the ones before are idle: then it says when to come again.
    const auto come = [&] {
        clients.push_back(std::make_unique<Client>(server.port()));
        return clients.back()->ask(get("/hello")).status;
    };
    for (int i = 0; i < 40; ++i) {
        int status = come();
        for (int again = 0; status == 503 && again < 1'000; ++again) status = come();
        EXPECT_EQ(status, 200) << i;
    }
    EXPECT_EQ(clients.back()->ask(get("/hello")).status, 200);
}

// nodejs/node#52649: a request sent just within the promised time is answered.
TEST(Limits, AConnectionStaysALittleLongerThanPromised) {
    ServerOptions options;
    options.keep_alive = 1s;
    TestServer server(plainRoutes(), options);
    Client client(server.port());
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(client.ask(get("/hello")).header("keep-alive"), "timeout=1");
    EXPECT_TRUE(client.ended());
    EXPECT_GE(since(start), 1'900ms);
}

TEST(Limits, KeepAliveIsAnnouncedWhereItIsKept) {
    TestServer usual(plainRoutes());
    Client client(usual.port());
    const auto reply = client.ask(get("/hello"));
    EXPECT_EQ(reply.header("connection"), "Keep-Alive");
    EXPECT_EQ(reply.header("keep-alive"), "timeout=75");
    const auto old = client.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(old.header("keep-alive"), "timeout=75");
    const auto last = client.ask(get("/hello", "Connection: close\r\n"));
    EXPECT_EQ(last.header("connection"), "Close");
    EXPECT_EQ(last.header("keep-alive"), "");
    EXPECT_TRUE(client.ended());
}

TEST(Limits, WithoutKeepAliveEveryConnectionEnds) {
    ServerOptions options;
    options.keep_alive = 0ms;
    TestServer server(plainRoutes(), options);
    Client client(server.port());
    const auto reply = client.ask(get("/hello"));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("connection"), "Close");
    EXPECT_EQ(reply.header("keep-alive"), "");
    EXPECT_TRUE(client.ended());
}

TEST(Limits, OutOfDescriptorsIsA503) {
    TestServer server(plainRoutes());
    rlimit usual{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);

    Client first(server.port());
    ASSERT_EQ(first.ask(get("/hello")).status, 200);
    const int lowest_free = ::dup(0);
    ::close(lowest_free);
    rlimit tight = usual;
    tight.rlim_cur = static_cast<rlim_t>(lowest_free) + 1;  // a client can connect, nobody can accept it
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    const auto reply = Client(server.port()).ask(get("/hello"));
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);

    expectError(reply, 503, "OVERLOADED");
    EXPECT_FALSE(server.logged().empty());
    EXPECT_EQ(first.ask(get("/hello")).status, 200);
    // Who comes while others are still being turned away may be, too.
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{5};
    int status = 0;
    while (status != 200 && std::chrono::steady_clock::now() < until)
        status = Client(server.port()).ask(get("/hello")).status;
    EXPECT_EQ(status, 200);
}

}  // namespace
}  // namespace stepper::http::test
