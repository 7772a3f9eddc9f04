#include "core/base/network.h"

#include <gtest/gtest.h>

namespace stepper {
namespace {

bool isIn(const char* address, const char* network) {
    const auto a = Address::parse(address);
    const auto n = Network::parse(network);
    EXPECT_TRUE(a) << address;
    EXPECT_TRUE(n) << network;
    return a && n && n->contains(*a);
}

TEST(Network, HoldsWhatBeginsAsItDoes) {
    const std::pair<const char*, const char*> inside[] = {{"10.1.2.3", "10.0.0.0/8"},
                                                          {"10.1.2.3", "10.9.9.9/8"},
                                                          {"172.31.255.255", "172.16.0.0/12"},
                                                          {"10.1.2.3", "10.0.0.0/255.0.0.0"},
                                                          {"10.1.2.3", "10.1.2.3"},
                                                          {"10.1.2.3", "10.1.2.3/32"},
                                                          {"10.1.2.3", "0.0.0.0/0"},
                                                          {"::ffff:10.1.2.3", "10.0.0.0/8"},
                                                          {"10.1.2.3", "::ffff:10.0.0.0/104"},
                                                          {"10.1.2.3", "::ffff:10.1.2.3"},
                                                          {"fd00::1", "fc00::/7"},
                                                          {"[fd00::1]", "fd00::1"},
                                                          {"fe80::1%eth0", "fe80::/10"},
                                                          {"2001:DB8::1", "2001:db8::/32"},
                                                          {"::1", "::/0"}};
    for (const auto& [address, network] : inside)
        EXPECT_TRUE(isIn(address, network)) << address << ' ' << network;
    const std::pair<const char*, const char*> outside[] = {
        {"11.0.0.1", "10.0.0.0/8"}, {"172.32.0.0", "172.16.0.0/12"},    {"10.1.2.4", "10.1.2.3"},
        {"10.1.2.3", "::/0"},       {"::a01:203", "10.0.0.0/8"},        {"fe00::1", "fd00::/8"},
        {"::1", "0.0.0.0/0"},       {"11.1.2.3", "::ffff:10.0.0.0/104"}};
    for (const auto& [address, network] : outside)
        EXPECT_FALSE(isIn(address, network)) << address << ' ' << network;
}

TEST(Network, WhatIsNone) {
    for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/8x", "10.0.0.0/-1",
                             "10.0.0.0/+8", "10.0.0/8", "10.0.0.0/255.0.255.0", "fd00::/129",
                             "fd00::/255.0.0.0", "::ffff:10.0.0.0/64", "::ffff:10.0.0.0/255.0.0.0", "host",
                             "10.0.0.0/8/8", "10.0.0.0 /8", "10.0.0.0/99999999999999999999"})
        EXPECT_FALSE(Network::parse(text)) << text;
}

}  // namespace
}  // namespace stepper
