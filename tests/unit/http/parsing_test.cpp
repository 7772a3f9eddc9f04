// The pure parts: heads, targets, chunked bodies, media types.
#include <gtest/gtest.h>

#include "core/http/chunked.h"
#include "core/http/head.h"
#include "core/http/media_type.h"
#include "core/http/target.h"

namespace stepper::http {
namespace {

constexpr size_t kMaxHead = 16u << 10;

Head goodHead(std::string_view bytes) {
    auto scan = scanHead(bytes, kMaxHead);
    EXPECT_TRUE(std::holds_alternative<Head>(scan)) << bytes;
    return std::holds_alternative<Head>(scan) ? std::get<Head>(scan) : Head{};
}

// The status it is refused with; 0 when it is not.
int refusal(std::string_view bytes) {
    const auto scan = scanHead(bytes, kMaxHead);
    const auto* reject = std::get_if<Reject>(&scan);
    return reject ? reject->status : 0;
}

// However a head is cut, each piece tells what all bytes so far tell.
TEST(HeadScanner, ContinuesWhereItWas) {
    for (const std::string head :
         {"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
          "\r\n\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
          "GET / HTTP/1.1\r\nHost: a\n\nX", "GET / HTTP/1.0\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n", "\r\n\nGET",
          "GET / HTTP/1.1\n", "\x16\x03\x01", "GET / HTTP/1.1\r\nHost a\r\n\r\n", "GET / HTTP/2.0\r\n\r\n"}) {
        for (size_t piece = 1; piece <= head.size(); ++piece) {
            HeadScanner scanner(kMaxHead);
            for (size_t seen = piece;; seen += piece) {
                const auto bytes = std::string_view(head).substr(0, seen);
                const auto scan = scanner.look(bytes), whole = scanHead(bytes, kMaxHead);
                ASSERT_EQ(scan.index(), whole.index()) << head << " after " << seen;
                if (const auto* got = std::get_if<Head>(&scan)) {
                    EXPECT_EQ(got->size, std::get<Head>(whole).size);
                }
                if (!std::holds_alternative<MoreBytes>(scan) || seen >= head.size()) break;
            }
        }
    }
}

TEST(HeadScanner, ATooLargeHeadIsRefusedInPiecesToo) {
    HeadScanner scanner(100);
    std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n";
    while (bytes.size() <= 100) {
        EXPECT_TRUE(std::holds_alternative<MoreBytes>(scanner.look(bytes)));
        bytes += "a: b\r\n";
    }
    EXPECT_EQ(std::get<Reject>(scanner.look(bytes)).status, 431);
}

TEST(Head, ReadsLineAndFields) {
    const std::string bytes =
        "\r\nPOST /a?b=c HTTP/1.1\r\nHost: x:80\r\nX-Thing:  two words \r\nContent-Length: 12\r\n\r\n{...";
    const auto head = goodHead(bytes);
    EXPECT_EQ(head.method, "POST");
    EXPECT_EQ(head.target, "/a?b=c");
    EXPECT_EQ(find(head.headers, "x-thing"), "two words");
    EXPECT_EQ(head.content_length, 12u);
    EXPECT_TRUE(head.keep_alive);
    EXPECT_EQ(bytes.substr(head.size), "{...");
}

TEST(Head, EveryPrefixOfAGoodHeadWantsMore) {
    const std::string bytes = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n";
    for (size_t n = 0; n < bytes.size(); ++n)
        EXPECT_TRUE(std::holds_alternative<MoreBytes>(scanHead(bytes.substr(0, n), kMaxHead))) << n;
    EXPECT_TRUE(goodHead(bytes).chunked);
}

TEST(Head, KeepAliveFollowsVersionAndConnection) {
    EXPECT_TRUE(goodHead("GET / HTTP/1.1\r\nHost: x\r\n\r\n").keep_alive);
    EXPECT_FALSE(goodHead("GET / HTTP/1.1\r\nHost: x\r\nConnection: te, Close\r\n\r\n").keep_alive);
    EXPECT_FALSE(goodHead("GET / HTTP/1.0\r\n\r\n").keep_alive);
    EXPECT_TRUE(goodHead("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
}

TEST(Head, AbsoluteFormBecomesAPath) {
    EXPECT_EQ(goodHead("GET http://x/a HTTP/1.1\r\nHost: X\r\n\r\n").target, "/a");
    EXPECT_EQ(goodHead("GET http://x?q HTTP/1.1\r\nHost: x\r\n\r\n").target, "/?q");
    EXPECT_EQ(refusal("GET http://y/a HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
    EXPECT_EQ(refusal("GET http://u@x/a HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
    EXPECT_EQ(refusal("GET http:///a HTTP/1.0\r\n\r\n"), 400);
    EXPECT_EQ(refusal("GET http://u@x/a HTTP/1.0\r\n\r\n"), 400);
    EXPECT_EQ(refusal("GET http://x/a HTTP/1.1\r\n\r\n"), 400);
}

TEST(Head, TheHostOfATargetCountsWhereNoHeaderNamesOne) {
    EXPECT_EQ(find(goodHead("GET http://Evil.example:80/a HTTP/1.0\r\n\r\n").headers, "host"),
              "Evil.example:80");
    EXPECT_EQ(goodHead("GET /a HTTP/1.0\r\n\r\n").headers.size(), 0u);
}

TEST(Head, ManyLinesOfAHeaderAreOneValue) {
    const std::string start = "POST / HTTP/1.1\r\nHost: x\r\n";
    const auto value = [&](const std::string& lines, std::string_view name) {
        return std::string(find(goodHead(start + lines + "\r\n").headers, name));
    };
    EXPECT_EQ(value("Forwarded:\r\nA: b\r\nforwarded: for=1.2.3.4\r\n", "forwarded"), ", for=1.2.3.4");
    EXPECT_EQ(value("X-Api-Key: right\r\nX-API-Key: wrong\r\n", "x-api-key"), "right, wrong");
    EXPECT_EQ(value("Origin:\r\nOrigin: http://evil.example\r\n", "origin"), ", http://evil.example");
    EXPECT_FALSE(goodHead(start + "Connection: keep-alive\r\nConnection: close\r\n\r\n").keep_alive);
    std::string many;
    for (int i = 0; i < 100; ++i) many += "X: y\r\n";
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\n" + many + "Host: x\r\n\r\n"), 431) << "lines count, not names";
}

// jetty/jetty.project#8716, s3s-project/s3s#768, httpwg/http-core#180: of two, readers take the first, the
// last or both.
TEST(Head, RefusesASecondOfWhatMeansOneThing) {
    for (const std::string name :
         {"Authorization", "Content-Length", "Content-Type", "Host", "Idempotency-Key", "Last-Event-ID"})
        for (const std::string first : {"1", ""}) {
            const std::string rest = name + ": " + first + "\r\n" + name + ": 1\r\n\r\n";
            EXPECT_EQ(refusal("POST / HTTP/1.1\r\n" + (name == "Host" ? rest : "Host: x\r\n" + rest)), 400)
                << name << first;
        }
}

TEST(Head, RefusesWhatAProxyCouldReadDifferently) {
    const std::string line = "POST / HTTP/1.1\r\nHost: x\r\n";
    const struct {
        std::string bytes;
        int status;
    } cases[] = {
        {line + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400},
        {line + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {line + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {line + "Transfer-Encoding: xchunked\r\n\r\n", 501},
        {line + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 501},
        {line + "Transfer-Encoding : chunked\r\n\r\n", 400},
        {line + "Transfer-Encoding: \x0b"
                "chunked\r\n\r\n",
         400},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {line + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400},
        {line + "Content-Length: 3, 3\r\n\r\n", 400},
        {line + "Content-Length: +3\r\n\r\n", 400},
        {line + "Content-Length: -3\r\n\r\n", 400},
        {line + "Content-Length: 0x3\r\n\r\n", 400},
        {line + "Content-Length: 1_0\r\n\r\n", 400},
        {line + "Content-Length:\r\n\r\n", 400},
        {line + "Content-Length: 9223372036854775808\r\n\r\n", 400},
        {line + "Content-Length: 99999999999999999999\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"GET / HTTP/1.1\nHost: a\n\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400},
        {std::string("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 36), 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n: nameless\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nB@d: x\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\n", 400},
        {"GET / a HTTP/1.1\r\n", 400},
        {"GET /\r\n", 400},
        {"GET / HTTP/1.1 \r\n", 400},
        {"GET /\t HTTP/1.1\r\n", 400},
        {"GET /\xc3\xa4 HTTP/1.1\r\n", 400},
        {"GET /#a HTTP/1.1\r\n", 400},
        {"GET / http/1.1\r\n", 400},
        {"GET / HTTP/1.1x\r\n", 400},
        {"GET / HTTP/2.0\r\n", 505},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", 417},
        {"\x16\x03\x01\x02", 400},
        {"G\r\n", 400},
        {std::string(33, 'G'), 400},
    };
    for (const auto& c : cases) EXPECT_EQ(refusal(c.bytes), c.status) << c.bytes;
}

TEST(Head, RefusesWhatIsTooLargeBeforeItIsComplete) {
    EXPECT_EQ(refusal("GET /" + std::string(8192, 'a')), 414);
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(kMaxHead, 'a')), 431);
    std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 0; i < 100; ++i) many += "A: b\r\n";
    EXPECT_EQ(refusal(many + "\r\n"), 431);
    std::string empty_lines;
    while (empty_lines.size() <= kMaxHead) empty_lines += "\r\n";
    EXPECT_EQ(refusal(empty_lines), 431);
}

TEST(Target, DecodesPathSegmentsAndQuery) {
    const auto t = parseTarget("/v1/a%20b%2Fc/?x=1&y=a+b%3D&flag&&x=2");
    ASSERT_TRUE(t);
    EXPECT_EQ(t->path, "/v1/a b/c/");
    EXPECT_EQ(t->segments, (std::vector<std::string>{"v1", "a b/c"}));
    const std::vector<std::pair<std::string, std::string>> query{
        {"x", "1"}, {"y", "a b="}, {"flag", ""}, {"x", "2"}};
    EXPECT_EQ(t->query, query);
    EXPECT_TRUE(parseTarget("/")->segments.empty());
    EXPECT_EQ(parseTarget("/a/../b")->segments, (std::vector<std::string>{"a", "..", "b"}));
}

TEST(Target, RefusesBrokenEscapes) {
    for (const char* raw :
         {"/%", "/%4", "/%zz", "/%+1", "/%0x", "/%00", "/a%0Ab", "/%C3%28", "/?a=%", "/?%G1=b", "/?a=%ff"})
        EXPECT_FALSE(parseTarget(raw)) << raw;
}

struct Decoded {
    ChunkDecoder::State state;
    std::string out;
    std::string rest;
};

Decoded decode(std::string bytes, size_t step, uint64_t max = 100) {
    ChunkDecoder decoder;
    Decoded d{ChunkDecoder::State::More, {}, {}};
    std::string pending;
    while (d.state == ChunkDecoder::State::More && !bytes.empty()) {
        pending += bytes.substr(0, step);
        bytes.erase(0, step);
        std::string_view view = pending;
        d.state = decoder.feed(view, d.out, max);
        pending = std::string(view);
    }
    d.rest = pending + bytes;
    return d;
}

TEST(Chunked, DecodesAtEverySplit) {
    const std::string body = "5\r\nhello\r\n6;name=\"v\"\r\n world\r\n0\r\nTrailer: x\r\n\r\nGET";
    for (size_t step = 1; step <= body.size(); ++step) {
        const auto d = decode(body, step);
        EXPECT_EQ(d.state, ChunkDecoder::State::Done);
        EXPECT_EQ(d.out, "hello world");
        EXPECT_EQ(d.rest, "GET");
    }
}

TEST(Chunked, RefusesLenientForms) {
    for (const char* body :
         {" 5\r\nhello\r\n", "5 \r\nhello\r\n", "5\nhello\r\n", "0x5\r\nhello\r\n", "-5\r\n", "+5\r\n",
          "\r\n", ";a\r\n", "g\r\n", "5\r\nhelloX\r\n", "5\r\nhello\n0\r\n\r\n", "5;\x01\r\nhello\r\n",
          "00000000000000005\r\nhello\r\n", "10000000000000000\r\n"})
        EXPECT_EQ(decode(body, 1).state, ChunkDecoder::State::Bad) << body;
    EXPECT_EQ(decode("5;" + std::string(5000, 'a'), 100).state, ChunkDecoder::State::Bad);
}

TEST(Chunked, StopsAtTheLimit) {
    EXPECT_EQ(decode("5\r\nhello\r\n0\r\n\r\n", 1, 5).state, ChunkDecoder::State::Done);
    EXPECT_EQ(decode("5\r\nhello\r\n1\r\n", 1, 5).state, ChunkDecoder::State::TooLarge);
    EXPECT_EQ(decode("ffffffffffffffff\r\n", 100, 5).state, ChunkDecoder::State::TooLarge);
}

TEST(MediaType, KnowsJson) {
    for (const char* t :
         {"application/json", "Application/JSON; charset=UTF-8", "application/json; charset=\"utf-8\"",
          "application/problem+json", "application/vnd.x+json; profile=a", "application/json; charset=utf8",
          "application/json;charset=\"UTF8\"", "text/json", "text/json; charset=us-ascii",
          "application/json;", "application/json; charset = utf-8"})
        EXPECT_TRUE(isJson(t)) << t;
    for (const char* t : {"", "text/plain", "application/jsonx", "application/json; charset=latin1",
                          "application/json; charset=utf-16", "text/x-json", "json", "application/+json",
                          "application/x-www-form-urlencoded"})
        EXPECT_FALSE(isJson(t)) << t;
}

}  // namespace
}  // namespace stepper::http
