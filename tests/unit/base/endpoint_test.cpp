// Hosts as people write them. Right values after ggml-org/llama.cpp#25135 (brackets in what is printed),
// psf/requests#5775 (zones), csstaub/hue-scene-keeper#49 (IPv4 within IPv6), xroche/httrack#598 (a bracketed
// address without a port), unshiftio/url-parse#32 (an address without brackets), dotnet/runtime#31680 (any
// loopback address).
#include "core/base/endpoint.h"

#include <gtest/gtest.h>

namespace stepper {
namespace {

using std::string_literals::operator""s;

TEST(Endpoint, HostAndPort) {
    const std::pair<const char*, Endpoint> sound[] = {
        {"127.0.0.1:3001", {"127.0.0.1", 3001}},
        {"[::1]:0", {"::1", 0}},
        {"[::]:65535", {"::", 65535}},
        {"localhost:80", {"localhost", 80}},
        {"[fe80::1%eth0]:80", {"fe80::1%eth0", 80}},
        {"[::ffff:10.0.0.1]:8", {"::ffff:10.0.0.1", 8}},
        {"api.example:443", {"api.example", 443}},
    };
    for (const auto& [text, expected] : sound) EXPECT_EQ(parseEndpoint(text), expected) << text;
    for (const char* text : {"",
                             ":",
                             "::1:80",
                             "::1",
                             "[::1]",
                             "[::1]80",
                             "[]:80",
                             "[localhost]:80",
                             "[127.0.0.1]:80",
                             "[::1:80",
                             "::1]:80",
                             "h:",
                             ":80",
                             "h:65536",
                             "h:-1",
                             "h:+1",
                             "h:8x",
                             "h:80:80",
                             "a b:80",
                             "3001",
                             "http://h:80",
                             "user@h:80"})
        EXPECT_FALSE(parseEndpoint(text)) << text;
}

TEST(Endpoint, BracketsWhereAUrlNeedsThem) {
    EXPECT_EQ(bracketed("::1"), "[::1]");
    EXPECT_EQ(bracketed("[::1]"), "[::1]");
    EXPECT_EQ(bracketed("::ffff:192.168.1.5"), "[::ffff:192.168.1.5]");
    EXPECT_EQ(bracketed("fe80::1%eth0"), "[fe80::1%25eth0]");
    EXPECT_EQ(bracketed("fe80::1%37"), "[fe80::1%2537]");
    EXPECT_EQ(bracketed("127.0.0.1"), "127.0.0.1");
    EXPECT_EQ(bracketed("localhost"), "localhost");
}

TEST(Endpoint, HostOfAUrl) {
    const std::pair<const char*, const char*> cases[] = {
        {"http://api.example", "api.example"},
        {"https://api.example:8443/v1", "api.example"},
        {"http://[::1]:11434/v1", "::1"},
        {"http://[::1]", "::1"},
        {"http://u:p@h:1/x@y", "h"},
        {"http://u:p@[2001:db8::1]:3128", "2001:db8::1"},
        {"http://h?x=://y", "h"},
        {"http:///v1", ""},
        {"", ""},
    };
    for (const auto& [url, host] : cases) EXPECT_EQ(hostOf(url), host) << url;
}

TEST(Endpoint, OneFormOfAnAddress) {
    const std::pair<std::string, const char*> cases[] = {
        {"127.0.0.1", "127.0.0.1"},       {"::ffff:127.0.0.1", "127.0.0.1"},
        {"::FFFF:7f00:1", "127.0.0.1"},   {"[::ffff:10.1.2.3]", "10.1.2.3"},
        {"0:0:0:0:0:0:0:1", "::1"},       {"[2001:DB8::0:1]", "2001:db8::1"},
        {"fe80::1%eth0", "fe80::1%eth0"},
    };
    for (const auto& [text, plain] : cases) EXPECT_EQ(plainAddress(text), plain) << text;
    for (const auto& text :
         {"localhost"s, ""s, "127.1"s, "[127.0.0.1]"s, "::1 "s, "1.2.3.4:80"s, "127.0.0.1\0x"s, "::g"s})
        EXPECT_FALSE(plainAddress(text)) << text;
}

TEST(Endpoint, Loopback) {
    for (const char* host :
         {"127.0.0.1", "127.8.9.10", "::1", "[::1]", "0:0::1", "::ffff:127.0.0.1", "localhost", "LocalHost.",
          "ollama.localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})
        EXPECT_TRUE(isLoopback(host)) << host;
    for (const char* host :
         {"", ".", "128.0.0.1", "0.0.0.0", "::", "127.evil.example", "localhost.evil.example", "notlocalhost",
          "::ffff:10.0.0.1", "::2", "10.0.0.1", "[::1]evil"})
        EXPECT_FALSE(isLoopback(host)) << host;
}

TEST(Endpoint, HostsAreComparedInOneForm) {
    EXPECT_EQ(plainHost("Example.COM."), "example.com");
    EXPECT_EQ(plainHost("[2001:DB8:0::1]"), "2001:db8::1");
    EXPECT_EQ(plainHost("fe80::1%eth0"), "fe80::1");
    EXPECT_EQ(plainHost("::ffff:10.0.0.1"), "10.0.0.1");
    for (const char* text : {"", ".", "a:80", "a b", "[::1", "u@a", "a/b"})
        EXPECT_FALSE(plainHost(text)) << text;
}

}  // namespace
}  // namespace stepper
