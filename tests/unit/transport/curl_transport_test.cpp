#include "core/transport/curl_transport.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "core/transport/descriptors.h"
#include "tests/unit/transport/exchange_helper.h"
#include "tests/unit/transport/raw_server.h"

namespace stepper::transport {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using Kind = HttpEvent::Kind;

RawServer::Script answering(std::string bytes) {
    return [bytes = std::move(bytes)](Peer& peer) {
        while (!peer.request().empty()) peer.send(bytes);
    };
}

TEST(CurlTransport, GivesHeadDataEnd) {
    RawServer server(
        answering(response("200 OK", "hello", "X-One: 1\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\n")));
    CurlTransport transport;
    const Outcome out = run(transport, requestTo(server.url()));
    EXPECT_THAT(out.kinds, ElementsAre(Kind::Head, Kind::Data, Kind::End)) << out.message();
    EXPECT_EQ(out.status, 200);
    EXPECT_EQ(out.headers,
              (Headers{{"content-length", "5"}, {"x-one", "1"}, {"date", "Tue, 15 Nov 1994 08:12:31 GMT"}}));
    EXPECT_THAT(out.data, ElementsAre("hello"));
}

TEST(CurlTransport, AddsADateWhereThereIsNone) {
    RawServer server(answering(response("200 OK", "")));
    CurlTransport transport;
    EXPECT_THAT(run(transport, requestTo(server.url())).header("date"),
                MatchesRegex("[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT"));
}

TEST(CurlTransport, SendsMethodHeadersAndBodyAsTheyAre) {
    std::string seen;
    RawServer server([&](Peer& peer) {
        for (std::string got = peer.request(); !got.empty(); got = peer.request()) {
            seen = got;
            peer.send(response("200 OK", ""));
        }
    });
    CurlTransport transport;

    HttpRequest post = requestTo(server.url("/v1/x?a=b"));
    post.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}, {"X-Blank", " "}};
    post.body = std::string("{\"a\":\"\0\"}", 9);
    EXPECT_FALSE(run(transport, post).error);
    EXPECT_THAT(seen, MatchesRegex("POST /v1/x\\?a=b HTTP/1.1\r\n(.|\r|\n)*"));
    EXPECT_THAT(seen, HasSubstr("\r\nContent-Type: application/json\r\n"));
    EXPECT_THAT(seen, HasSubstr("\r\nX-Empty:\r\n"));
    EXPECT_THAT(seen, HasSubstr("\r\nX-Blank:\r\n"));
    EXPECT_THAT(seen, HasSubstr("\r\nUser-Agent: stepper/"));
    EXPECT_THAT(seen, HasSubstr("gzip"));
    EXPECT_THAT(seen, Not(HasSubstr("Expect:")));
    EXPECT_TRUE(seen.ends_with("\r\n\r\n" + post.body));

    HttpRequest get = requestTo(server.url());
    get.method = "GET";
    get.headers.clear();
    get.body.clear();
    EXPECT_FALSE(run(transport, get).error);
    EXPECT_TRUE(seen.starts_with("GET / HTTP/1.1\r\n"));
    EXPECT_THAT(seen, Not(HasSubstr("Content-")));

    get.method = "DELETE";
    EXPECT_FALSE(run(transport, get).error);
    EXPECT_TRUE(seen.starts_with("DELETE / HTTP/1.1\r\n"));

    HttpRequest put = requestTo(server.url());
    put.method = "PUT";
    put.headers.clear();
    put.body = std::string(200'000, 'x');
    EXPECT_FALSE(run(transport, put).error);
    EXPECT_TRUE(seen.starts_with("PUT / HTTP/1.1\r\n"));
    EXPECT_THAT(seen.substr(0, 500), Not(HasSubstr("Content-Type")));
    EXPECT_TRUE(seen.ends_with(put.body));

    EXPECT_FALSE(run(transport, requestTo(server.url())).error);
    EXPECT_TRUE(seen.starts_with("POST / HTTP/1.1\r\n"));
    EXPECT_EQ(server.connections(), 1);
}

TEST(CurlTransport, HeadHasNoBodyToWaitFor) {
    RawServer server([](Peer& peer) {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
        peer.closes(milliseconds(1'000));
    });
    CurlTransport transport;
    HttpRequest request = requestTo(server.url());
    request.method = "HEAD";
    request.body.clear();
    EXPECT_THAT(run(transport, request).data, ElementsAre(""));
}

TEST(CurlTransport, WholeAlwaysGivesOneData) {
    RawServer server(answering(response("200 OK", "")));
    CurlTransport transport;
    EXPECT_THAT(run(transport, requestTo(server.url())).data, ElementsAre(""));
}

TEST(CurlTransport, ReadsChunkedBodiesAndIgnoresTrailers) {
    RawServer server(
        answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Late: 1\r\n\r\n"));
    CurlTransport transport;
    const Outcome out = run(transport, requestTo(server.url()));
    EXPECT_THAT(out.data, ElementsAre("abcde")) << out.message();
    EXPECT_EQ(out.header("x-late"), "(none)");
    EXPECT_FALSE(run(transport, requestTo(server.url())).error);
    EXPECT_EQ(server.connections(), 1);
}

TEST(CurlTransport, FramesEventStreamsAsTheyArrive) {
    RawServer server([](Peer& peer) {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: x\nda");
        peer.send("ta: 1\n\ndata: 2\n\n");
        peer.closes(milliseconds(2'000));
    });
    CurlTransport transport;
    CancelToken never;
    auto exchange = transport.open(requestTo(server.url(), BodyMode::Sse), never);
    ASSERT_TRUE(exchange);
    EXPECT_EQ((*exchange)->next().kind, Kind::Head);
    const HttpEvent first = (*exchange)->next();
    EXPECT_EQ(first.name, "x");
    EXPECT_EQ(first.data, "1");
    const HttpEvent second = (*exchange)->next();  // although the body is not over
    EXPECT_EQ(second.name, "");
    EXPECT_EQ(second.data, "2");
}

TEST(CurlTransport, PassesOnAFramingErrorAfterTheWholeFrames) {
    RawServer server([](Peer& peer) {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\n\r\ndata: 1\n\ndata: {\"cut");
    });
    CurlTransport transport;
    const Outcome out = run(transport, requestTo(server.url(), BodyMode::Sse));
    EXPECT_THAT(out.data, ElementsAre("1"));
    EXPECT_EQ(out.errorClass(), ErrorClass::BadResponse);
    EXPECT_THAT(out.message(), HasSubstr("ended inside an event"));
}

TEST(CurlTransport, KeepsConnectionsAlive) {
    RawServer server(answering(response("200 OK", "x")));
    CurlTransport transport;
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(run(transport, requestTo(server.url())).error);
    EXPECT_EQ(server.connections(), 1);
}

TEST(CurlTransport, ClosesConnectionsIdleForTooLong) {
    RawServer server(answering(response("200 OK", "x")));
    CurlOptions options;
    options.idle_for = milliseconds(0);
    CurlTransport transport(options);
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(run(transport, requestTo(server.url())).error);
    EXPECT_EQ(server.connections(), 3);
}

TEST(CurlTransport, KeepsNoMoreIdleConnectionsThanAllowed) {
    RawServer server(answering(response("200 OK", "x")));
    CurlOptions options;
    options.max_idle = 0;
    CurlTransport transport(options);
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(run(transport, requestTo(server.url())).error);
    EXPECT_EQ(server.connections(), 3);
}

TEST(CurlTransport, ReplacesAKeptConnectionTheServerDropped) {
    // The second request dies unanswered on the kept connection; libcurl itself sends it again on a fresh
    // one.
    RawServer server([](Peer& peer) {
        peer.request();
        peer.send(response("200 OK", "x"));
        peer.request();
    });
    CurlTransport transport;
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(run(transport, requestTo(server.url())).error);
    EXPECT_EQ(server.connections(), 3);
}

TEST(CurlTransport, DoesNotRepeatARequestThatDiesOnAFreshConnection) {
    RawServer server([](Peer& peer) { peer.request(); });
    CurlTransport transport;
    const Outcome out = run(transport, requestTo(server.url()));
    EXPECT_EQ(out.errorClass(), ErrorClass::Transport);
    EXPECT_THAT(out.message(), HasSubstr("without an answer"));
    EXPECT_EQ(server.connections(), 1);
}

TEST(CurlTransport, GivesErrorBodiesWhole) {
    RawServer server(answering(response("429 Slow", "{\n\n\"error\":1}", "Retry-After: 7\r\n")));
    CurlTransport transport;
    const Outcome out = run(transport, requestTo(server.url(), BodyMode::Sse));
    EXPECT_EQ(out.status, 429);
    EXPECT_EQ(out.header("retry-after"), "7");
    EXPECT_THAT(out.data, ElementsAre("{\n\n\"error\":1}"));
    EXPECT_FALSE(out.error);
}

TEST(CurlTransport, CutsLongErrorBodies) {
    RawServer server(answering(response("500 Oh", std::string(kMaxErrorBodyBytes + 100'000, 'x'))));
    CurlTransport transport;
    const Outcome out = run(transport, requestTo(server.url()));
    EXPECT_THAT(out.kinds, ElementsAre(Kind::Head, Kind::Data, Kind::End));
    EXPECT_EQ(out.data.at(0).size(), kMaxErrorBodyBytes);
}

TEST(CurlTransport, FollowsNoRedirect) {
    RawServer target(answering(response("200 OK", "secret")));
    RawServer server(answering(response("302 Found", "", "Location: " + target.url() + "\r\n")));
    CurlTransport transport;
    EXPECT_EQ(run(transport, requestTo(server.url())).status, 302);
    EXPECT_EQ(target.connections(), 0);
}

TEST(CurlTransport, SkipsInterimResponsesAndUnfoldsHeaders) {
    RawServer server(
        answering("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"
                  "HTTP/1.1 200 OK\r\nX-Long: a\r\n  b\r\nContent-Length: 1\r\n\r\nx"));
    CurlTransport transport;
    const Outcome out = run(transport, requestTo(server.url()));
    EXPECT_EQ(out.status, 200);
    EXPECT_EQ(out.header("x-long"), "a b");
    EXPECT_EQ(out.header("x-early"), "(none)");
    EXPECT_THAT(out.data, ElementsAre("x"));
}

TEST(CurlTransport, RunsExchangesSideBySide) {
    RawServer server(answering(response("200 OK", "x")));
    CurlTransport transport;
    std::atomic<int> good = 0;
    const auto work = [&] {
        for (int i = 0; i < 20; ++i)
            good += run(transport, requestTo(server.url())).data == std::vector<std::string>{"x"};
    };
    std::thread other(work);
    work();
    other.join();
    EXPECT_EQ(good, 40);
    EXPECT_LE(server.connections(), 2);
}

TEST(CurlTransport, RefusesWhatCannotBeSent) {
    CurlTransport transport;
    const auto refused = [&](auto change) {
        HttpRequest request = requestTo("http://127.0.0.1:1/?key=hush");
        change(request);
        const Outcome out = run(transport, request);
        EXPECT_EQ(out.errorClass(), ErrorClass::InvalidRequest) << out.message();
        EXPECT_THAT(out.message(), Not(HasSubstr("hush")));
    };
    refused([](HttpRequest& r) { r.url = "ftp://host/hush"; });
    refused([](HttpRequest& r) { r.url = "file:///etc/hush"; });
    refused([](HttpRequest& r) { r.url = "not a url hush"; });
    refused([](HttpRequest& r) { r.url = std::string("http://host/\0hush", 17); });
    refused([](HttpRequest& r) { r.url = "http://host/ \r\nX: hush"; });
    refused([](HttpRequest& r) { r.method = "PO ST"; });
    refused([](HttpRequest& r) { r.method = ""; });
    refused([](HttpRequest& r) { r.headers = {{"X", "a\r\nY: hush"}}; });
    refused([](HttpRequest& r) { r.headers = {{"X", std::string("a\0hush", 6)}}; });
    refused([](HttpRequest& r) { r.headers = {{"X:Y", "hush"}}; });
    refused([](HttpRequest& r) { r.headers = {{"", "hush"}}; });
}

TEST(CurlTransport, ReportsAnUnreadableAuthorityFile) {
    CurlOptions options;
    options.ca_file = "/nowhere/ca.pem";
    CurlTransport transport(options);
    const Outcome out = run(transport, requestTo("https://127.0.0.1:1/"));
    EXPECT_EQ(out.errorClass(), ErrorClass::Config);
    EXPECT_THAT(out.message(), HasSubstr("/nowhere/ca.pem"));
}

TEST(Descriptors, AreRaisedToTheHardLimit) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const auto now = raiseDescriptorLimit();
    ASSERT_TRUE(now);
    EXPECT_EQ(*now, before.rlim_max);
}

}  // namespace
}  // namespace stepper::transport
