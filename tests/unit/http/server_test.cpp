// The way of a request: routes, filter, headers, exceptions, reporting.
#include <atomic>
#include <thread>

#include <Poco/Exception.h>
#include <gtest/gtest.h>

#include "tests/unit/http/client.h"

namespace stepper::http::test {
namespace {

TEST(Server, RefusesAnAddressInUse) {
    TestServer server(plainRoutes());
    ServerOptions options;
    options.port = server.port();
    const auto second = Server::bind(options, {}, {}, {});
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().error_class, ErrorClass::Config);
    EXPECT_NE(second.error().message.find("127.0.0.1:" + std::to_string(server.port())), std::string::npos);
    options.host = "192.0.2.1";
    EXPECT_FALSE(Server::bind(options, {}, {}, {}).ok());
}

TEST(Server, ResponseCarriesItsHeaders) {
    auto routes = plainRoutes();
    routes.push_back({"GET", "/custom", "", Body::None, Role::Anybody, [](const Request&) {
                          Response r = Response::json(200, "{}");
                          r.headers = {{"Cache-Control", "max-age=5"},
                                       {"X-Split", "a\r\nX-Injected: 1"},
                                       {"Content-Length", "99"},
                                       {"Vary", "Origin"}};
                          return r;
                      }});
    TestServer server(std::move(routes));
    Client client(server.port());
    const auto reply = client.ask(get("/hello"));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(reply.header("x-frame-options"), "DENY");
    EXPECT_EQ(reply.header("content-security-policy"), "default-src 'none'");
    EXPECT_EQ(reply.header("referrer-policy"), "no-referrer");
    EXPECT_EQ(reply.header("cross-origin-opener-policy"), "same-origin");
    EXPECT_EQ(reply.header("cross-origin-resource-policy"), "same-origin");
    EXPECT_EQ(reply.header("origin-agent-cluster"), "?1");
    EXPECT_EQ(reply.header("x-permitted-cross-domain-policies"), "none");
    EXPECT_EQ(reply.header("x-dns-prefetch-control"), "off");
    EXPECT_EQ(reply.header("cache-control"), "no-store");
    EXPECT_EQ(reply.header("content-length"), "14");
    EXPECT_EQ(reply.header("server"), "");
    EXPECT_FALSE(reply.header("date").empty());

    const auto custom = client.ask(get("/custom"));
    EXPECT_EQ(custom.header("cache-control"), "max-age=5");
    EXPECT_EQ(custom.header("vary"), "Origin");
    EXPECT_EQ(custom.header("x-injected"), "");
    EXPECT_EQ(custom.header("x-split"), "");
    EXPECT_EQ(custom.body, "{}");
}

TEST(Server, RequestIdIsTheClientsWhenWellFormed) {
    TestServer server(plainRoutes());
    Client client(server.port());
    EXPECT_EQ(client.ask(get("/hello", "X-Request-Id: abc-1.2_3\r\n")).header("x-request-id"), "abc-1.2_3");
    const std::string longest(128, 'a');
    EXPECT_EQ(client.ask(get("/hello", "X-Request-Id: " + longest + "\r\n")).header("x-request-id"), longest);
    for (const std::string& bad :
         {std::string("a b"), std::string("a\"b"), std::string(129, 'a'), std::string()}) {
        const auto id = client.ask(get("/hello", "X-Request-Id: " + bad + "\r\n")).header("x-request-id");
        EXPECT_EQ(id.size(), 36u) << bad;
    }
}

TEST(Server, HeadAndOptions) {
    TestServer server(plainRoutes());
    Client client(server.port());
    client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto head = client.read(true);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.header("content-length"), "14");
    client.send("HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.read(true).status, 404);
    const auto options = client.ask("OPTIONS /v1/jobs/1 HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(options.status, 204);
    EXPECT_EQ(options.header("allow"), "GET, HEAD, DELETE, OPTIONS");
    EXPECT_EQ(options.header("content-length"), "");
    EXPECT_EQ(client.ask(get("/hello")).status, 200);
}

TEST(Server, HandlerSeesTheRequest) {
    Request seen;
    std::vector<Route> routes{{"GET", "/v1/jobs/{id}", "", Body::None, Role::Anybody, [&](const Request& r) {
                                   seen = r;
                                   return Response::json(200, "{}");
                               }}};
    TestServer server(std::move(routes));
    EXPECT_EQ(Client(server.port()).ask(get("/v1/jobs/a%20b?wait=5s&x", "X-Key: K\r\n")).status, 200);
    EXPECT_EQ(seen.method, "GET");
    EXPECT_EQ(seen.path, "/v1/jobs/a b");
    EXPECT_EQ(seen.param("id"), "a b");
    EXPECT_EQ(seen.queryValue("wait"), "5s");
    EXPECT_EQ(seen.queryValue("x"), "");
    EXPECT_FALSE(seen.queryValue("y"));
    EXPECT_EQ(seen.header("x-key"), "K");
    EXPECT_EQ(seen.caller.address, "127.0.0.1");
    EXPECT_EQ(seen.server_ip, "127.0.0.1");
}

TEST(Server, ClientIpComesFromTheProxyOnlyWhenTrusted) {
    std::vector<Route> routes{{"GET", "/ip", "", Body::None, Role::Anybody,
                               [](const Request& r) { return Response::json(200, r.caller.address); }}};
    ServerOptions trusting;
    trusting.trusted_proxies = *TrustedProxies::parse({"1"});
    TestServer plain(routes);
    TestServer proxied(routes, trusting);
    const auto request = get("/ip", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.1.1.1, 2001:db8::7\r\n");
    EXPECT_EQ(Client(plain.port()).ask(request).body, "127.0.0.1");
    EXPECT_EQ(Client(proxied.port()).ask(request).body, "2001:db8::7");
    // rack/rack#1227, firezone/firezone#12270 and #12272: ports, brackets
    const std::pair<const char*, const char*> hops[] = {
        {"1.1.1.1, junk", "127.0.0.1"},   {"1.1.1.1, 2.2.2.2:17085", "2.2.2.2"},
        {"[2001:DB8::7]", "2001:db8::7"}, {"[2001:db8::7]:64828", "2001:db8::7"},
        {"::ffff:3.3.3.3", "3.3.3.3"},    {"unknown", "127.0.0.1"},
        {"2.2.2.2:99999", "127.0.0.1"}};
    for (const auto& [hop, ip] : hops)
        EXPECT_EQ(
            Client(proxied.port()).ask(get("/ip", "X-Forwarded-For: " + std::string(hop) + "\r\n")).body, ip);
    EXPECT_EQ(Client(proxied.port()).ask(get("/ip")).body, "127.0.0.1");
}

// A socket for both families sees IPv4 clients as ::ffff:127.0.0.1.
TEST(Server, AnIpv4ClientHasAnIpv4AddressOnASocketForBoth) {
    std::vector<Route> routes{{"GET", "/ip", "", Body::None, Role::Anybody,
                               [](const Request& r) { return Response::json(200, r.caller.address); }}};
    ServerOptions options;
    options.host = "::";
    TestServer server(routes, options);
    EXPECT_EQ(Client(server.port()).ask(get("/ip")).body, "127.0.0.1");
}

TEST(Server, FilterRunsFirstAndItsHeadersGoOnEveryResponse) {
    std::atomic<int> calls{0};
    TestServer server(plainRoutes(), {},
                      [&](const Request& r, Role, Headers& add) -> std::variant<Caller, Response> {
                          ++calls;
                          add.emplace_back("Access-Control-Allow-Origin", "https://a.example");
                          EXPECT_TRUE(r.body.empty());
                          if (r.header("x-key") == "good") return r.caller;
                          return Response::error(401, "AUTH", "no key", r.id);
                      });
    Client client(server.port());
    expectError(client.ask(get("/hello")), 401, "AUTH");
    expectError(client.ask(postJson("/echo", "[1]")), 401, "AUTH");
    EXPECT_EQ(client.ask(postJson("/echo", "[1]", "X-Key: good\r\n")).body, "[1]");
    const auto missing = client.ask(get("/nothing", "X-Key: good\r\n"));
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(missing.header("access-control-allow-origin"), "https://a.example");
    EXPECT_EQ(client.ask("OPTIONS /hello HTTP/1.1\r\nHost: a\r\nX-Key: good\r\n\r\n").status, 204);
    EXPECT_EQ(calls, 5);
}

TEST(Server, AHandlerLearnsWhoCallsFromTheFilterThatIsToldTheRole) {
    const auto whoIsIt = [](const Request& r) {
        return Response::json(200, r.caller.address + (r.caller.role == Role::Admin ? " admin" : " client"));
    };
    TestServer server({{"GET", "/a", "", Body::None, Role::Admin, whoIsIt},
                       {"GET", "/c", "", Body::None, Role::Client, whoIsIt}},
                      {}, [](const Request& r, Role role, Headers&) -> std::variant<Caller, Response> {
                          return Caller{role, r.caller.address};
                      });
    EXPECT_EQ(Client(server.port()).ask(get("/a")).body, "127.0.0.1 admin");
    EXPECT_EQ(Client(server.port()).ask(get("/c")).body, "127.0.0.1 client");
}

TEST(Server, WhateverAHandlerThrowsIsA500) {
    std::vector<Route> routes = plainRoutes();
    routes.push_back({"GET", "/std", "", Body::None, Role::Anybody,
                      [](const Request&) -> Response { throw std::runtime_error("secret"); }});
    routes.push_back(
        {"GET", "/int", "", Body::None, Role::Anybody, [](const Request&) -> Response { throw 7; }});
    routes.push_back({"GET", "/poco", "", Body::None, Role::Anybody,
                      [](const Request&) -> Response { throw Poco::IOException("secret"); }});
    TestServer server(std::move(routes));
    Client client(server.port());
    for (const char* path : {"/std", "/int", "/poco"}) {
        const auto reply = client.ask(get(path));
        expectError(reply, 500, "UNKNOWN");
        EXPECT_EQ(reply.body.find("secret"), std::string::npos);
    }
    EXPECT_EQ(client.ask(get("/hello")).status, 200);
    const auto logged = server.logged();
    ASSERT_EQ(logged.size(), 3u);
    EXPECT_NE(logged[0].find("/std failed: secret"), std::string::npos) << logged[0];
}

TEST(Server, ARequestThatFindsNoMemoryIsA503) {
    std::vector<Route> routes = plainRoutes();
    routes.push_back({"GET", "/greedy", "", Body::None, Role::Anybody,
                      [](const Request&) -> Response { throw std::bad_alloc(); }});
    TestServer server(std::move(routes));
    Client client(server.port());
    const auto reply = client.ask(get("/greedy"));
    expectError(reply, 503, "OVERLOADED");
    EXPECT_EQ(reply.header("retry-after"), "1");
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(Client(server.port()).ask(get("/hello")).status, 200);
}

TEST(Server, ARequestThatFindsNoMemoryGivesBackItsBody) {
    std::atomic<size_t> kept{0};
    auto server = Server::bind({},
                               {{"POST", "/greedy", "", Body::Json, Role::Anybody,
                                 [](const Request&) -> Response { throw std::bad_alloc(); }}},
                               {}, [&](const Access& a) { kept = a.request->body.capacity() + 1; });
    ASSERT_TRUE(server.ok());
    (*server)->start();
    Client client((*server)->port());
    expectError(client.ask(postJson("/greedy", std::string(100'000, '1'))), 503, "OVERLOADED");
    (*server)->drain(std::chrono::steady_clock::now() + 5s);
    EXPECT_GT(kept, 0u);
    EXPECT_LT(kept, 100u);
}

TEST(Server, ThrowingFilterIsA500AndThrowingObserverDoesNoHarm) {
    auto server = Server::bind(
        {}, plainRoutes(),
        [](const Request& r, Role, Headers&) -> std::variant<Caller, Response> {
            if (r.path == "/nothing") throw std::runtime_error("filter");
            return r.caller;
        },
        [](const Access&) { throw std::runtime_error("observer"); });
    ASSERT_TRUE(server.ok());
    (*server)->start();
    EXPECT_EQ(Client((*server)->port()).ask(get("/hello")).status, 200);
    EXPECT_EQ(Client((*server)->port()).ask(get("/nothing")).status, 500);
}

TEST(Server, ObserverIsToldOfEveryRequest) {
    TestServer server(plainRoutes());
    Client client(server.port());
    client.ask(get("/v1/jobs/1", "X-Request-Id: one\r\n"));
    client.ask(get("/nothing"));
    client.ask("broken\r\n\r\n");
    ASSERT_TRUE(server.awaitTold(3));
    const auto told = server.told();
    EXPECT_EQ(told[0].id, "one");
    EXPECT_EQ(told[0].route, "/v1/jobs/{id}");
    EXPECT_EQ(told[0].status, 200);
    EXPECT_GT(told[0].bytes_out, 100u);
    EXPECT_EQ(told[1].route, "");
    EXPECT_EQ(told[1].status, 404);
    EXPECT_EQ(told[2].status, 400);
}

TEST(Server, KeepsAConnectionForManyRequests) {
    TestServer server(plainRoutes());
    Client client(server.port());
    for (int i = 0; i < 100; ++i)
        ASSERT_EQ(client.ask(get("/hello")).header("connection"), "Keep-Alive") << i;
}

TEST(Server, LargeResponseArrivesWhole) {
    const std::string large(5u << 20, 'x');
    std::vector<Route> routes{{"GET", "/large", "", Body::None, Role::Anybody,
                               [&](const Request&) { return Response::json(200, large); }}};
    TestServer server(std::move(routes));
    EXPECT_EQ(Client(server.port()).ask(get("/large")).body, large);
}

TEST(Server, ServesManyClientsAtOnce) {
    constexpr int kClients = 200;
    std::atomic<int> arrived{0};
    Gate all;
    std::vector<Route> routes{{"GET", "/meet", "", Body::None, Role::Anybody, [&](const Request&) {
                                   if (++arrived == kClients) all.open();
                                   return Response::json(all.wait() ? 200 : 500, "{}");
                               }}};
    TestServer server(std::move(routes));
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < kClients; ++i) {
        clients.push_back(std::make_unique<Client>(server.port()));
        ASSERT_TRUE(clients.back()->send(get("/meet")));
    }
    for (auto& client : clients) EXPECT_EQ(client->read().status, 200);
}

}  // namespace
}  // namespace stepper::http::test
