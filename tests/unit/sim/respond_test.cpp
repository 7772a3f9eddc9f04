// Each way of misbehaving on the wire, seen from a raw socket.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "tests/unit/sim/raw_client.h"
#include "tools/provider-sim/blackhole.h"
#include "tools/provider-sim/gzip.h"

namespace stepper::sim {
namespace {

using End = Received::End;
constexpr auto kPath = "/p/one/v1/chat/completions";
constexpr auto kAsk = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
constexpr auto kStream = R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]})";
constexpr milliseconds kQuiet{100};  // long enough to see that nothing comes

struct RespondTest : SimTest {
    void step(std::string_view s) { sim.put("one", R"({"steps":[)" + std::string(s) + "]}"); }
    Received ask(std::string_view s, const char* body = kAsk, milliseconds deadline = milliseconds{5000}) {
        step(s);
        return sim.call("POST", kPath, body, "", deadline);
    }
    bool aborted(uint64_t n) {
        return sim.eventually("one", [&](const Counters& c) { return c.aborted == n && c.in_flight == 0; });
    }
};

std::string gunzip(const std::string& bytes) {
    z_stream z{};
    EXPECT_EQ(inflateInit2(&z, 15 + 16), Z_OK);
    std::string out(4 << 20, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z.avail_in = static_cast<uInt>(bytes.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
    out.resize(z.total_out);
    inflateEnd(&z);
    return out;
}

TEST_F(RespondTest, HangsAndSeesTheClientGo) {
    for (const auto* where : {"head", "body", "connect"}) {
        const auto before = sim.counters("one").aborted;
        step(R"({"hang":")" + std::string(where) + "\"}");
        RawClient client(sim.server.url());
        client.send(request("POST", kPath, kAsk));
        const auto got = client.receive(kQuiet);
        EXPECT_EQ(got.end, End::Deadline);
        EXPECT_EQ(got.status(), std::string_view(where) == "body" ? 200 : 0);
        EXPECT_EQ(sim.counters("one").in_flight, 1u);
        client.close();
        EXPECT_TRUE(aborted(before + 1)) << where;
    }
}

TEST_F(RespondTest, ADelayedClientMayLeaveToo) {
    step(R"({"delay_ms":60000})");
    RawClient client(sim.server.url());
    client.send(request("POST", kPath, kAsk));
    ASSERT_TRUE(sim.eventually("one", [](const Counters& c) { return c.in_flight == 1; }));
    client.close();
    EXPECT_TRUE(aborted(1));
}

TEST_F(RespondTest, Drips) {
    const auto began = clock.now();
    const auto got = ask(R"({"drip":{"bytes":100,"every_ms":20}})");
    EXPECT_EQ(got.end, End::Complete);
    EXPECT_GE(clock.now() - began, milliseconds{40});
    EXPECT_TRUE(json::find(got.json(), "choices"));
}

TEST_F(RespondTest, Resets) {
    auto got = ask(R"({"reset":"before_head"})");
    EXPECT_EQ(got.end, End::Reset);
    EXPECT_EQ(got.bytes, "");
    got = ask(R"({"reset":"mid_head"})");
    EXPECT_EQ(got.end, End::Reset);
    EXPECT_EQ(got.status(), 0);
    got = ask(R"({"reset":"mid_body"})");
    EXPECT_EQ(got.end, End::Reset);
    EXPECT_EQ(got.status(), 200);
    EXPECT_FALSE(got.rawBody().empty());
}

TEST_F(RespondTest, TruncatesBodiesAndStreams) {
    auto got = ask(R"({"truncate":0.25})");
    EXPECT_EQ(got.end, End::Closed);
    EXPECT_EQ(got.rawBody().size(), std::stoul(got.header("content-length")) / 4);
    got = ask(R"({"truncate":0.5})", kStream);
    EXPECT_EQ(got.end, End::Closed);
    EXPECT_FALSE(got.bytes.ends_with("0\r\n\r\n"));
}

TEST_F(RespondTest, LiesAboutItsLength) {
    auto got = ask(R"({"content_length":100})");
    EXPECT_EQ(got.end, End::Closed);
    EXPECT_EQ(std::stoul(got.header("content-length")), got.rawBody().size() + 100);
    got = ask(R"({"content_length":-10})");
    EXPECT_EQ(std::stoul(got.header("content-length")), got.rawBody().size() - 10);
    got = ask(R"({"content_length":"banana"})");
    EXPECT_EQ(got.header("content-length"), "banana");
}

TEST_F(RespondTest, SaysSomethingElse) {
    EXPECT_EQ(ask(R"({"body":"<p>","content_type":"text/html"})").body(), "<p>");
    EXPECT_TRUE(ask(R"({"html":true})").body().starts_with("<!DOCTYPE html>"));
    EXPECT_FALSE(json::parse(ask(R"({"invalid_json":true})").body()).ok());
    EXPECT_EQ(ask(R"({"empty":true})").header("content-length"), "0");
    EXPECT_EQ(ask(R"({"empty":true})", kStream).header("content-length"), "0");
    EXPECT_EQ(ask(R"({"encoding":"unknown"})").header("content-encoding"), "unknown");
    const auto away = ask(R"({"redirect":"http://169.254.169.254/"})");
    EXPECT_EQ(away.status(), 302);
    EXPECT_EQ(away.header("location"), "http://169.254.169.254/");
    EXPECT_EQ(ask(R"({"status":204})").header("content-length"), "0");
}

TEST_F(RespondTest, FloodsUntilTheClientLeaves) {
    for (const auto* flood :
         {R"({"endless":"body"})", R"({"endless":"headers"})", R"({"huge":1099511627776})"}) {
        const auto before = sim.counters("one").aborted;
        step(flood);
        RawClient client(sim.server.url());
        client.send(request("POST", kPath, kAsk));
        EXPECT_GE(client.receive(milliseconds{5000}, 4 << 20).bytes.size(), size_t{4 << 20}) << flood;
        client.close();
        EXPECT_TRUE(aborted(before + 1)) << flood;
    }
}

TEST_F(RespondTest, HugeIsExact) {
    const auto got = ask(R"({"huge":200000})");
    EXPECT_EQ(got.end, End::Complete);
    EXPECT_EQ(got.rawBody().size(), 200000u);
}

TEST_F(RespondTest, Gzips) {
    const auto got = ask(R"({"gzip":true})");
    EXPECT_EQ(got.header("content-encoding"), "gzip");
    EXPECT_TRUE(json::find(parsed(gunzip(got.body())), "choices"));
    EXPECT_TRUE(gunzip(ask(R"({"gzip":true})", kStream).body()).ends_with("data: [DONE]\n\n"));
}

TEST_F(RespondTest, GzipBombsAreValidAndSmall) {
    const auto got = ask(R"({"gzip_bomb":2500000})");
    EXPECT_EQ(gunzip(got.body()), std::string(2500000, ' '));
    EXPECT_LT(got.body().size(), 10000u);
    GzipBomb large(uint64_t{10} << 30);
    size_t encoded = 0;
    for (auto piece = large.next(); !piece.empty(); piece = large.next()) encoded += piece.size();
    EXPECT_LT(encoded, size_t{20} << 20);
}

TEST_F(RespondTest, KeepsOrClosesTheConnection) {
    step(R"({"ok":true},{"close":"announced"},{"close":"silent"})");
    RawClient client(sim.server.url());
    client.send(request("POST", kPath, kAsk));
    EXPECT_EQ(client.receive().end, End::Complete);
    client.send(request("POST", kPath, kAsk));
    EXPECT_EQ(client.receive().header("connection"), "close");
    EXPECT_EQ(client.receive().end, End::Closed);
    RawClient other(sim.server.url());
    other.send(request("POST", kPath, kAsk));
    EXPECT_EQ(other.receive().header("connection"), "");
    EXPECT_EQ(other.receive().end, End::Closed);
    EXPECT_EQ(sim.counters("one").connections, 2u);
}

TEST_F(RespondTest, StreamsChunkByChunk) {
    const auto began = clock.now();
    const auto got = ask(R"({"chunk_delay_ms":10})", kStream);
    EXPECT_EQ(got.end, End::Complete);
    EXPECT_GE(clock.now() - began, milliseconds{40});
}

TEST_F(RespondTest, StopsWhileClientsHang) {
    for (const auto* forever : {R"({"endless":"body"})", R"({"hang":"head"})", R"({"delay_ms":60000})"}) {
        Running other(clock);
        other.put("one", R"({"steps":[)" + std::string(forever) + "]}");
        RawClient stuck(other.server.url());
        stuck.send(request("POST", kPath, kAsk));
        EXPECT_TRUE(other.eventually("one", [](const Counters& c) { return c.in_flight == 1; }));
    }
}

TEST_F(RespondTest, NobodyConnectsToTheBlackhole) {
    const Blackhole blackhole;
    ASSERT_NE(blackhole.port(), 0);
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(blackhole.port());
    ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address);
    pollfd connected{socket, POLLOUT, 0};
    EXPECT_EQ(::poll(&connected, 1, static_cast<int>(kQuiet.count())), 0);
    ::close(socket);
}

}  // namespace
}  // namespace stepper::sim
