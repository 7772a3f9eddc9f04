#include <functional>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/transport/curl_transport.h"
#include "tests/unit/transport/exchange_helper.h"
#include "tests/unit/transport/raw_server.h"

namespace stepper::transport {
namespace {

using namespace std::chrono_literals;
using Kind = HttpEvent::Kind;

constexpr auto kHead = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
constexpr auto kOpenHead = "HTTP/1.1 200 OK\r\n\r\n";

// How long after `cancel` the server sees its connection closed, while the exchange waits in next().
class Cancelling : public testing::Test {
protected:
    CurlTransport transport_;

    void expectPromptClose(const std::string& answer, CancelToken& token,
                           const std::function<void()>& cancel) {
        std::promise<bool> closed;
        std::promise<void> answered;
        RawServer server([&](Peer& peer) {
            peer.request();
            peer.send(answer);
            answered.set_value();
            closed.set_value(peer.closes(2s));
        });
        std::chrono::steady_clock::time_point cancelled;
        std::thread canceller([&] {
            answered.get_future().wait_for(2s);
            cancelled = std::chrono::steady_clock::now();
            cancel();
        });
        auto exchange = transport_.open(requestTo(server.url()), token);
        ASSERT_TRUE(exchange);
        const Outcome out = drain(**exchange);  // and the exchange stays alive
        EXPECT_TRUE(closed.get_future().get());
        canceller.join();
        EXPECT_LT(std::chrono::steady_clock::now() - cancelled, 200ms);
        EXPECT_EQ(out.errorClass(), ErrorClass::Cancelled);
        EXPECT_THAT(out.message(), testing::HasSubstr("was cut: "));
    }
};

TEST_F(Cancelling, BySourceBeforeTheHead) {
    CancelSource source(CancelReason::Requested);
    CancelToken token;
    token.watch(source);
    expectPromptClose("", token, [&] { source.cancel(); });
}

TEST_F(Cancelling, BySourceInsideTheBody) {
    CancelSource source(CancelReason::Draining);
    CancelToken token;
    token.watch(source);
    expectPromptClose(std::string(kHead) + "abc", token, [&] { source.cancel(); });
}

TEST_F(Cancelling, ByTheClientGoingAway) {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    CancelToken token;
    HangUps hang_ups;
    token.watchClient(pair[0], hang_ups);
    expectPromptClose(std::string(kHead) + "abc", token, [&] { ::close(pair[1]); });
    ::close(pair[0]);
}

TEST_F(Cancelling, BeforeTheStartSendsNothing) {
    CancelSource source(CancelReason::Requested);
    source.cancel();
    CancelToken token;
    token.watch(source);
    RawServer server([](Peer& peer) { peer.closes(2s); });
    EXPECT_EQ(run(transport_, requestTo(server.url()), token).errorClass(), ErrorClass::Cancelled);
    EXPECT_EQ(server.connections(), 0);
}

TEST_F(Cancelling, AFloodIsCutToo) {
    CancelSource source(CancelReason::Requested);
    CancelToken token;
    token.watch(source);
    RawServer server([&](Peer& peer) {
        peer.request();
        peer.send(kOpenHead);
        for (int i = 0; peer.send("data: x\n\n"); ++i)
            if (i == 1000) source.cancel();
    });
    HttpRequest request = requestTo(server.url(), BodyMode::Sse);
    request.max_response_bytes = 1u << 30;
    EXPECT_EQ(run(transport_, request, token).errorClass(), ErrorClass::Cancelled);
}

TEST_F(Cancelling, DestroyingARunningExchangeClosesItsConnection) {
    std::promise<bool> closed;
    RawServer server([&](Peer& peer) {
        peer.request();
        peer.send(kHead);
        closed.set_value(peer.closes(2s));
    });
    CancelToken never;
    auto exchange = transport_.open(requestTo(server.url()), never);
    ASSERT_TRUE(exchange);
    EXPECT_EQ((*exchange)->next().kind, Kind::Head);
    const auto destroyed = std::chrono::steady_clock::now();
    exchange->reset();
    EXPECT_TRUE(closed.get_future().get());
    EXPECT_LT(std::chrono::steady_clock::now() - destroyed, 200ms);
}

}  // namespace
}  // namespace stepper::transport
