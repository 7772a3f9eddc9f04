// What the server answers, on the wire, to requests it must not let through.
#include <gtest/gtest.h>

#include "tests/unit/http/client.h"

namespace stepper::http::test {
namespace {

struct Case {
    std::string bytes;
    int status;
    std::string_view code;
};

TEST(Framing, RefusalsAreJsonAndEndTheConnection) {
    TestServer server(plainRoutes());
    const std::string post = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    const std::string smuggled = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    const Case cases[] = {
        {post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, 400,
         "BAD_REQUEST"},
        {post + "Transfer-Encoding: identity\r\n\r\n" + smuggled, 501, "BAD_REQUEST"},
        {post + "Content-Length: 2\r\nContent-Length: 0\r\n\r\n{}" + smuggled, 400, "BAD_REQUEST"},
        {post + "Content-Length: +2\r\n\r\n{}" + smuggled, 400, "BAD_REQUEST"},
        {post + "Transfer-Encoding: chunked\r\n\r\n2 \r\n{}\r\n0\r\n\r\n" + smuggled, 400, "BAD_REQUEST"},
        {post + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n" + smuggled, 400, "BAD_REQUEST"},
        {post + "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n" + smuggled, 400, "BAD_REQUEST"},
        {"GET /hello HTTP/1.1\r\n\r\n" + smuggled, 400, "BAD_REQUEST"},
        {"GET /hello HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n" + smuggled, 400, "BAD_REQUEST"},
        {"GET /hello HTTP/1.1\nHost: a\n\n" + smuggled, 400, "BAD_REQUEST"},
        {"hello there\r\n\r\n" + smuggled, 400, "BAD_REQUEST"},
        {"\x16\x03\x01\x02\x00\x01\xff\xfe", 400, "BAD_REQUEST"},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "BAD_REQUEST"},
        {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, "URI_TOO_LONG"},
        {"GET /hello HTTP/1.1\r\nHost: a\r\nX: " + std::string(20000, 'a') + "\r\n\r\n", 431,
         "HEADERS_TOO_LARGE"},
    };
    for (const auto& c : cases) {
        SCOPED_TRACE(c.bytes.substr(0, 200));
        Client client(server.port());
        const auto reply = client.ask(c.bytes);
        expectError(reply, c.status, c.code);
        EXPECT_EQ(reply.header("connection"), "Close");
        EXPECT_TRUE(client.ended());
    }
    EXPECT_EQ(Client(server.port()).ask(get("/hello")).status, 200);
}

TEST(Framing, BrokenEscapesAndUnknownPathsKeepTheConnection) {
    TestServer server(plainRoutes());
    Client client(server.port());
    expectError(client.ask(get("/%zz")), 400, "BAD_REQUEST");
    expectError(client.ask(get("/nothing")), 404, "NOT_FOUND");
    expectError(client.ask(get("/v1/jobs/../hello")), 404, "NOT_FOUND");
    expectError(client.ask(postJson("/nothing", "{\"a\":1}")), 404, "NOT_FOUND");
    const auto reply = client.ask(postJson("/hello", "{}"));
    expectError(reply, 405, "METHOD_NOT_ALLOWED");
    EXPECT_EQ(reply.header("allow"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(client.ask(get("/hello/")).status, 200);
}

TEST(Framing, ChunkedBodyIsDecoded) {
    TestServer server(plainRoutes());
    Client client(server.port());
    const std::string post =
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: "
        "Chunked\r\n\r\n";
    EXPECT_EQ(client.ask(post + "3\r\n[1,\r\n2\r\n2]\r\n0\r\nX: trailer\r\n\r\n").body, "[1,2]");
    EXPECT_EQ(client.ask(get("/hello")).status, 200);
}

TEST(Framing, PipelinedRequestsAreAnsweredInOrder) {
    TestServer server(plainRoutes());
    Client client(server.port());
    client.send(postJson("/echo", "[1]") + get("/v1/jobs/two") + postJson("/echo", "[3]"));
    EXPECT_EQ(client.read().body, "[1]");
    EXPECT_EQ(client.read().body, "two");
    EXPECT_EQ(client.read().body, "[3]");
}

TEST(Framing, RequestDrippedByteByByteIsServed) {
    TestServer server(plainRoutes());
    Client client(server.port());
    for (const char c : postJson("/echo", "[1]")) ASSERT_TRUE(client.send({&c, 1}));
    EXPECT_EQ(client.read().body, "[1]");
}

TEST(Framing, HttpOneZeroEndsUnlessAskedToStay) {
    TestServer server(plainRoutes());
    Client plain(server.port());
    EXPECT_EQ(plain.ask("GET /hello HTTP/1.0\r\n\r\n").header("connection"), "Close");
    EXPECT_TRUE(plain.ended());
    Client staying(server.port());
    const std::string request = "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    EXPECT_EQ(staying.ask(request).header("connection"), "Keep-Alive");
    EXPECT_EQ(staying.ask(request).status, 200);
}

}  // namespace
}  // namespace stepper::http::test
