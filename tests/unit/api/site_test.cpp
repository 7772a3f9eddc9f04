#include "core/api/site.h"

#include <gtest/gtest.h>

namespace stepper::api {
namespace {

bool isOurs(std::string_view header, std::string_view connected_to = "10.1.2.3") {
    return isOurHost(header, connected_to, {"stepper", "*.apps.example", "192.168.1.5", "2001:db8::7"});
}

// mgedmin/restview#51, milady-ai/milady#564: the dot at the end, IPv4 within IPv6
TEST(Site, TheMachineHasItsOwnNames) {
    for (const auto* host : {"localhost", "LocalHost:3001", "localhost.", "localhost.:3001", "a.localhost",
                             "127.0.0.1", "127.0.0.1.", "127.0.0.1:1", "127.9.9.9:65535", "[::1]",
                             "[::1]:3001", "[0:0::1]", "[::ffff:127.0.0.1]:80"})
        EXPECT_TRUE(isOurs(host)) << host;
}

// clopca/open-mem#10 (a name that only begins like ours), tachyonmcp/tachyon#226 (what is no port). Browsers
// write every form of an address as dotted decimals, so the others name nothing of ours.
TEST(Site, NothingElseIs) {
    for (const auto* host : {"",
                             ".",
                             "evil.example",
                             "evil.example:3001",
                             "127.evil.example",
                             "127.0.0.1.nip.io:3001",
                             "127.",
                             "127.x",
                             "127.1",
                             "2130706433",
                             "0x7f000001",
                             "0x7f.0.0.1",
                             "0177.0.0.1",
                             "127.0.0.01",
                             "0.0.0.0",
                             "[::]",
                             "localhost.evil.example",
                             "evil-localhost",
                             "localhost:",
                             "localhost:0x50",
                             "localhost:80:80",
                             "localhost:99999",
                             "localhost:evil",
                             "[::1].evil.example",
                             "[::1]evil",
                             "[::1",
                             "::1]",
                             "[::1]:",
                             "[::2]",
                             "[127.0.0.1]",
                             "user@localhost",
                             "localhost@evil.example",
                             "localhost,evil.example",
                             "localhost/"})
        EXPECT_FALSE(isOurs(host)) << host;
}

// suitenumerique/docs#443, cvat-ai/cvat#8567: Kubernetes probes a pod by its address.
TEST(Site, TheAddressThatWasConnectedToIs) {
    EXPECT_TRUE(isOurs("10.1.2.3"));
    EXPECT_TRUE(isOurs("10.1.2.3:8080"));
    EXPECT_FALSE(isOurs("10.1.2.4"));
    EXPECT_TRUE(isOurs("10.1.2.3", "::ffff:10.1.2.3")) << "on a socket for both families";
    EXPECT_TRUE(isOurs("[2001:db8::1]:80", "2001:db8::1"));
    EXPECT_TRUE(isOurs("[fe80::1%25eth0]:80", "fe80::1%eth0"));
    EXPECT_TRUE(isOurs("[fe80::1]", "fe80::1%eth0")) << "what curl sends";
    EXPECT_FALSE(isOurs("evil.example", ""));
}

// vitejs/vite#19411: the name of a container's service
TEST(Site, WhatIsListedIs) {
    for (const auto* host : {"stepper:3001", "Stepper.", "x.apps.example", "x.y.apps.example:80",
                             "192.168.1.5:3001", "[2001:DB8:0::7]"})
        EXPECT_TRUE(isOurs(host)) << host;
    for (const auto* host :
         {"apps.example", "xapps.example", "stepper.evil.example", "evil.stepper", "192.168.1.50"})
        EXPECT_FALSE(isOurs(host)) << host;
    EXPECT_TRUE(isOurHost("anything.example:1", "", {"*"}));
    EXPECT_FALSE(isOurHost("user@host", "", {"*"})) << "no host";
}

TEST(Site, AnOriginIsTheSameHostByNameAndPort) {
    EXPECT_TRUE(isSameHost("http://localhost:3001", "localhost:3001"));
    EXPECT_TRUE(isSameHost("https://stepper.example", "Stepper.example")) << "TLS ends before us";
    for (const auto* origin :
         {"http://localhost", "http://localhost:30010", "http://evil.example", "null", "", "localhost:3001",
          "//localhost:3001", "ftp://localhost:3001", "http://localhost:3001/", "http://user@localhost:3001"})
        EXPECT_FALSE(isSameHost(origin, "localhost:3001")) << origin;
}

}  // namespace
}  // namespace stepper::api
