// What a provider or the network can do to a running exchange.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "core/transport/curl_transport.h"
#include "tests/unit/transport/exchange_helper.h"
#include "tests/unit/transport/raw_server.h"

namespace stepper::transport {
namespace {

// For its lifetime this process gets no more descriptors than those.
class FewDescriptors {
public:
    explicit FewDescriptors(int free) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        std::vector<int> taken;
        for (int i = 0; i < free; ++i) taken.push_back(::dup(0));
        const int next = ::dup(0);
        const rlimit limit{static_cast<rlim_t>(next), before_.rlim_max};
        ::close(next);
        ::setrlimit(RLIMIT_NOFILE, &limit);
        for (const int fd : taken) ::close(fd);
    }
    ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = HttpEvent::Kind;

constexpr auto kHead = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
constexpr auto kOpenHead = "HTTP/1.1 200 OK\r\n\r\n";

// Answers with these bytes, then keeps the connection open.
RawServer::Script sendingThenSilent(std::string bytes) {
    return [bytes = std::move(bytes)](Peer& peer) {
        peer.request();
        peer.send(bytes);
        peer.closes(3s);
    };
}

// Answers with these bytes and closes.
RawServer::Script sendingThenGone(std::string bytes) {
    return [bytes = std::move(bytes)](Peer& peer) {
        peer.request();
        peer.send(bytes);
    };
}

HttpRequest hasty(const RawServer& server, BodyMode mode = BodyMode::Whole) {
    HttpRequest request = requestTo(server.url("/?key=hush"), mode);
    request.first_byte_timeout = request.idle_timeout = 120ms;
    return request;
}

std::string peerOf(const RawServer& server) { return "127.0.0.1:" + std::to_string(server.port()); }

std::string gzip(const std::string& text, size_t times = 1) {
    z_stream z{};
    deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out;
    char buffer[65536];
    for (size_t i = 0; i < times; ++i) {
        z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
        z.avail_in = static_cast<uInt>(text.size());
        do {
            z.next_out = reinterpret_cast<Bytef*>(buffer);
            z.avail_out = sizeof buffer;
            deflate(&z, i + 1 == times ? Z_FINISH : Z_NO_FLUSH);
            out.append(buffer, sizeof buffer - z.avail_out);
        } while (z.avail_out == 0);
    }
    deflateEnd(&z);
    return out;
}

class Faults : public testing::Test {
protected:
    CurlTransport transport_;

    void expectFailure(const Outcome& out, ErrorClass error_class, const std::string& message) {
        EXPECT_EQ(out.errorClass(), error_class) << out.message();
        EXPECT_THAT(out.message(), HasSubstr(message));
        EXPECT_THAT(out.message(), testing::Not(HasSubstr("hush")));
    }
};

TEST_F(Faults, RefusedPort) {
    uint16_t port = 0;
    {
        port = RawServer([](Peer&) {}).port();
    }
    const std::string peer = "127.0.0.1:" + std::to_string(port);
    expectFailure(run(transport_, requestTo("http://" + peer)), ErrorClass::Transport,
                  "no connection to " + peer + ": Connection refused");
}

TEST_F(Faults, UnknownName) {
    HttpRequest request = requestTo("http://nothing.invalid/?key=hush");
    request.deadline += 30s;  // resolvers without a network take their time
    request.connect_timeout = 30s;
    expectFailure(run(transport_, request), ErrorClass::Transport,
                  "the name in nothing.invalid:80 could not be resolved");
}

TEST_F(Faults, ConnectionThatIsNeverMade) {
    // A full backlog lets further connections hang.
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener, 0), 0);
    ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
    const int filler = ::socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_EQ(::connect(filler, reinterpret_cast<sockaddr*>(&address), size), 0);

    HttpRequest request = requestTo("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
    request.connect_timeout = 80ms;
    expectFailure(run(transport_, request), ErrorClass::Timeout, "no connection to 127.0.0.1:");
    ::close(filler);
    ::close(listener);
}

TEST_F(Faults, PlainServerBehindHttps) {
    RawServer server([](Peer& peer) { peer.send("HTTP/1.1 400 Bad\r\n\r\n"); });
    expectFailure(run(transport_, requestTo("https://" + peerOf(server) + "/?key=hush")),
                  ErrorClass::Transport, "TLS with " + peerOf(server) + " failed: ");
}

TEST_F(Faults, NoFirstByte) {
    RawServer server(sendingThenSilent(""));
    expectFailure(run(transport_, hasty(server)), ErrorClass::Timeout,
                  "no first byte from " + peerOf(server) + " within 120ms");
}

TEST_F(Faults, SilenceInsideTheBody) {
    RawServer server(sendingThenSilent(std::string(kOpenHead) + "data: 1\n\ndata: 2"));
    const Outcome out = run(transport_, hasty(server, BodyMode::Sse));
    EXPECT_THAT(out.data, ElementsAre("1"));
    expectFailure(out, ErrorClass::Timeout, peerOf(server) + " sent nothing for 120ms");
}

TEST_F(Faults, CommentsKeepAStreamAlive) {
    RawServer server([](Peer& peer) {
        peer.request();
        peer.send(kOpenHead);
        for (int i = 0; i < 8 && !peer.closes(30ms); ++i) peer.send(": ping\n\n");
        peer.send("data: late\n\n");
    });
    const Outcome out = run(transport_, hasty(server, BodyMode::Sse));
    EXPECT_FALSE(out.error) << out.message();
    EXPECT_THAT(out.data, ElementsAre("late"));
}

TEST_F(Faults, AnyByteKeepsAResponseAlive) {
    // Digits of a chunk's size reach no callback of libcurl.
    RawServer server([](Peer& peer) {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 6 && !peer.closes(30ms); ++i) peer.send("0");
        peer.send("\r\n\r\n");
        peer.closes(1s);
    });
    const Outcome out = run(transport_, hasty(server));
    EXPECT_FALSE(out.error) << out.message();
}

TEST_F(Faults, ASlowReaderIsNoSlowServer) {
    RawServer server([](Peer& peer) {
        peer.request();
        peer.send(kOpenHead);
        peer.send("data: 1\n\n");
        peer.closes(30ms);
        peer.send("data: 2\n\n");
    });
    CancelToken never;
    auto exchange = transport_.open(hasty(server, BodyMode::Sse), never);
    ASSERT_TRUE(exchange);
    EXPECT_EQ((*exchange)->next().kind, Kind::Head);
    never.sleepUntil(std::chrono::steady_clock::now() + 200ms);
    EXPECT_THAT(drain(**exchange).data, ElementsAre("1", "2"));
}

TEST_F(Faults, SlowDripEndsAtTheDeadline) {
    RawServer server([](Peer& peer) {
        peer.request();
        peer.send(kHead);
        while (!peer.closes(20ms)) peer.send("x");
    });
    HttpRequest request = hasty(server);
    request.deadline = std::chrono::steady_clock::now() + 150ms;
    expectFailure(run(transport_, request), ErrorClass::Timeout,
                  "no complete answer from " + peerOf(server) + " within 1");
}

TEST_F(Faults, FloodEndsAtTheDeadline) {
    RawServer server([](Peer& peer) {
        peer.request();
        peer.send(kOpenHead);
        while (peer.send("data: x\n\ndata: y\n\n")) continue;
    });
    HttpRequest request = hasty(server, BodyMode::Sse);
    request.deadline = std::chrono::steady_clock::now() + 100ms;
    request.max_response_bytes = 1u << 30;
    expectFailure(run(transport_, request), ErrorClass::Timeout, "no complete answer");
}

TEST_F(Faults, DeadlineInThePast) {
    RawServer server(sendingThenSilent(""));
    HttpRequest request = hasty(server);
    request.deadline = std::chrono::steady_clock::now() - 1s;
    EXPECT_EQ(run(transport_, request).errorClass(), ErrorClass::Timeout);
    EXPECT_EQ(server.connections(), 0);
}

TEST_F(Faults, ResetInsideTheBody) {
    RawServer server([](Peer& peer) {
        peer.request();
        peer.send(std::string(kHead) + "0123456789");
        peer.closes(50ms);  // the bytes must arrive before the reset does
        peer.reset();
    });
    const Outcome out = run(transport_, requestTo(server.url()));
    EXPECT_THAT(out.kinds, ElementsAre(Kind::Head, Kind::Failed));
    expectFailure(out, ErrorClass::Transport,
                  "the response of " + peerOf(server) + " broke off after 10 bytes");
}

TEST_F(Faults, TruncatedBodies) {
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string& bytes : {std::string(kHead) + "0123456789", chunked + "a\r\n0123456789\r\n",
                                     chunked + "ff\r\n0123456789", chunked + "a\r\n0123456789\r\nxyz\r\n"}) {
        RawServer server(sendingThenGone(bytes));
        expectFailure(run(transport_, requestTo(server.url())), ErrorClass::Transport,
                      "broke off after 10 bytes");
    }
}

TEST_F(Faults, BytesBeyondTheBodyAreNotTheNextResponse) {
    RawServer server([](Peer& peer) {
        while (!peer.request().empty())
            peer.send(response("200 OK", "good") + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    });
    for (int i = 0; i < 3; ++i)
        EXPECT_THAT(run(transport_, requestTo(server.url())).data, ElementsAre("good"));
    EXPECT_EQ(server.connections(), 3);
}

TEST_F(Faults, NotHttp) {
    for (const char* bytes : {"garbage\r\n\r\n", "SSH-2.0-x\r\n", "HTTP/9.9 banana\r\n\r\n"}) {
        RawServer server(sendingThenGone(bytes));
        expectFailure(run(transport_, requestTo(server.url())), ErrorClass::BadResponse,
                      "did not answer in HTTP");
    }
}

TEST_F(Faults, HugeBody) {
    RawServer server([](Peer& peer) {
        peer.request();
        peer.send(kOpenHead);
        while (peer.send(std::string(65536, 'x'))) continue;
    });
    HttpRequest request = requestTo(server.url());
    request.max_response_bytes = 300'000;
    expectFailure(run(transport_, request), ErrorClass::BadResponse, "exceeds 300000 bytes");
}

TEST_F(Faults, BodyOfExactlyTheLimit) {
    RawServer server(sendingThenSilent(response("200 OK", "12345678")));
    HttpRequest request = requestTo(server.url());
    request.max_response_bytes = 8;
    EXPECT_THAT(run(transport_, request).data, ElementsAre("12345678"));
}

TEST_F(Faults, EndlessHeaders) {
    for (const std::string& header : {"X-Filler: " + std::string(1000, 'x') + "\r\n",
                                      std::string("HTTP/1.1 100 Go\r\n\r\n"), std::string("x")}) {
        RawServer server([&](Peer& peer) {
            peer.request();
            peer.send("HTTP/1.1 200 OK\r\nX: ");
            if (header.size() > 1) peer.send("\r\n");
            std::string many;
            while (many.size() < 65536) many += header;
            while (peer.send(many)) continue;
        });
        HttpRequest request = requestTo(server.url());
        const Outcome out = run(transport_, request);
        EXPECT_EQ(out.errorClass(), ErrorClass::BadResponse) << out.message();
    }
}

TEST_F(Faults, Gzip) {
    RawServer server(sendingThenSilent(response("200 OK", gzip("hello"), "Content-Encoding: gzip\r\n")));
    EXPECT_THAT(run(transport_, requestTo(server.url())).data, ElementsAre("hello"));
}

TEST_F(Faults, GzipBomb) {
    const std::string bomb = gzip(std::string(1 << 20, '\0'), 200);
    RawServer server(sendingThenSilent(response("200 OK", bomb, "Content-Encoding: gzip\r\n")));
    HttpRequest request = requestTo(server.url());
    request.max_response_bytes = 1 << 20;
    expectFailure(run(transport_, request), ErrorClass::BadResponse, "exceeds 1048576 bytes");
}

TEST_F(Faults, GzipBombAsAnErrorBody) {
    const std::string bomb = gzip(std::string(1 << 20, 'x'), 20);
    RawServer server(sendingThenSilent(response("500 Oh", bomb, "Content-Encoding: gzip\r\n")));
    EXPECT_EQ(run(transport_, requestTo(server.url())).data.at(0).size(), kMaxErrorBodyBytes);
}

TEST_F(Faults, EncodingsThatCannotBeRead) {
    for (const char* headers : {"Content-Encoding: snappy\r\n", "Content-Encoding: gzip\r\n",
                                "Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip, gzip\r\n"}) {
        RawServer server(sendingThenSilent(response("200 OK", "plain text", headers)));
        expectFailure(run(transport_, requestTo(server.url())), ErrorClass::BadResponse, "content-encoding");
    }
}

// With none there is no slot, with two a slot but no socket for it. Neither is the provider's failure.
TEST_F(Faults, WhatThisMachineRefusesIsNoFailureOfThePeer) {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "the sanitizer beside it takes an object for none when it has no descriptor to look with";
#endif
    RawServer server(sendingThenGone("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    for (const int free : {0, 2}) {
        CurlTransport transport;
        {
            const FewDescriptors few(free);
            const Outcome refused = run(transport, requestTo(server.url()));
            EXPECT_EQ(refused.errorClass(), ErrorClass::Internal) << free << ": " << refused.message();
            EXPECT_THAT(refused.message(), HasSubstr(peerOf(server)));
        }
        EXPECT_THAT(run(transport, requestTo(server.url())).data, ElementsAre("ok"));
    }
}

}  // namespace
}  // namespace stepper::transport
