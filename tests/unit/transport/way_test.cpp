// Which calls leave by a proxy. Right values after curl/curl#9773 (networks), #9813 and #9858 (lists and
// domains), #9822 (dots at the end), #19828 and #5745 (IPv6), unjs/node-fetch-native#125 (ports),
// cypress-io/cypress#4780 and dotnet/runtime#31680 (this machine needs no entry).
#include "core/transport/way.h"

#include <gtest/gtest.h>

namespace stepper::transport {
namespace {

struct Case {
    const char* host;
    const char* no_proxy;
    uint16_t port = 443;
};

TEST(Way, NamesTheListNames) {
    const Case cases[] = {
        {"api.example", "*"},
        {"api.example", "api.example"},
        {"API.Example", "api.eXample"},
        {"www.example.com", "example.com"},
        {"www.example.com", ".example.com"},
        {"example.com", ".example.com"},
        {"www.example.com", "*.example.com"},
        {"www.example.com", "localhost,.example.com,.example.de"},
        {"www.example.com", "localhost .example.de\t.example.com"},
        {"www.example.com", " , localhost, example.com"},
        {"www.example.com.", "example.com"},
        {"www.example.com", ".example.com."},
        {"api.example", "api.example:8443", 8443},
        {"10.10.20.1", "10.0.0.0/8"},
        {"172.31.255.255", "172.16.0.0/12"},
        {"10.1.2.3", "10.1.2.3"},
        {"10.10.10.10", "10.10.10.10:8001", 8001},
        {"::ffff:10.1.2.3", "10.0.0.0/8"},
        {"fd00::12", "fd00::/8"},
        {"2001:db8:0:0:0:0:0:1", "2001:db8::1"},
        {"2001:DB8::1", "[2001:db8::1]"},
        {"2001:db8::1", "[2001:db8::1]:8443", 8443},
        {"10.1.2.3", "0.0.0.0/0"},
    };
    for (const auto& c : cases)
        EXPECT_TRUE(isExempt(c.host, c.port, c.no_proxy)) << c.host << " in " << c.no_proxy;
}

TEST(Way, NamesTheListDoesNotName) {
    const Case cases[] = {
        {"api.example", ""},
        {"api.example", ","},
        {"api.example", "."},
        {"notexample.com", "example.com"},
        {"example.com.evil.example", "example.com"},
        {"example.com", "www.example.com"},
        {"api.example", "api.example:8443", 443},
        {"api.example", "ap*.example"},
        {"11.0.0.1", "10.0.0.0/8"},
        {"172.32.0.0", "172.16.0.0/12"},
        {"10.1.2.3", "10.1.2"},
        {"10.1.2.3", "10.0.0.0/33"},
        {"10.1.2.3", "10.0.0.0/"},
        {"10.1.2.3", "10.0.0.0/8x"},
        {"10.1.2.3", "::/0"},
        {"fe00::1", "fd00::/8"},
        {"2001:db8::1", "[2001:db8::1]:80", 443},
        {"10.example.com", "10.0.0.0/8"},
    };
    for (const auto& c : cases)
        EXPECT_FALSE(isExempt(c.host, c.port, c.no_proxy)) << c.host << " in " << c.no_proxy;
}

TEST(Way, ThisMachineIsAlwaysCalledDirectly) {
    for (const char* host : {"127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LOCALHOST",
                             "ollama.localhost", "::ffff:127.0.0.1", "0.0.0.0", "::"}) {
        EXPECT_EQ(proxyFor(host, 80, std::nullopt, ""), "") << host;
        EXPECT_EQ(proxyFor(host, 80, "http://proxy.example:3128", ""), "") << host;
    }
}

TEST(Way, WhatWasAskedForGoesBeforeTheEnvironment) {
    const std::string proxy = "http://proxy.example:3128";
    EXPECT_EQ(proxyFor("api.example", 443, proxy, "api.example"), proxy);
    EXPECT_EQ(proxyFor("api.example", 443, "", ""), "");
    EXPECT_EQ(proxyFor("api.example", 443, std::nullopt, "api.example"), "");
    EXPECT_EQ(proxyFor("api.example", 443, std::nullopt, "other.example"), std::nullopt);
    EXPECT_EQ(proxyFor("127.evil.example", 80, std::nullopt, ""), std::nullopt);
}

}  // namespace
}  // namespace stepper::transport
