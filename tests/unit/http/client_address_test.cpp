#include "core/http/client_address.h"

#include <gtest/gtest.h>

namespace stepper::http {
namespace {

using Words = std::vector<std::string>;

struct Row {
    Words trusted;
    const char *connected, *forwarded_for, *client;
};

// What Express makes of the same, but for entries that are no addresses.
TEST(ClientAddress, IsTheFirstFromTheRightThatIsNotTrusted) {
    const Row rows[] = {
        {{}, "10.0.0.1", "1.1.1.1", "10.0.0.1"},
        {{"false"}, "10.0.0.1", "1.1.1.1", "10.0.0.1"},
        {{"0"}, "10.0.0.1", "1.1.1.1", "10.0.0.1"},
        {{"true"}, "10.0.0.1", "3.3.3.3, 2.2.2.2, 1.1.1.1", "3.3.3.3"},
        {{"True"}, "10.0.0.1", "", "10.0.0.1"},
        // express-rate-limit/express-rate-limit#134, pierreb-devkit/Node#3933: what was there before is the
        // client's own
        {{"1"}, "10.0.0.1", "3.3.3.3, 2.2.2.2, 1.1.1.1", "1.1.1.1"},
        {{"2"}, "10.0.0.1", "3.3.3.3, 2.2.2.2, 1.1.1.1", "2.2.2.2"},
        {{"3"}, "10.0.0.1", "3.3.3.3, 2.2.2.2, 1.1.1.1", "3.3.3.3"},
        {{"9"}, "10.0.0.1", "3.3.3.3, 2.2.2.2, 1.1.1.1", "3.3.3.3"},
        // Robert-Velhorst/000-LARO#125: somebody who goes around the proxy
        {{"10.0.0.0/8"}, "8.8.8.8", "1.1.1.1", "8.8.8.8"},
        {{"10.0.0.0/8"}, "10.0.0.1", "3.3.3.3, 1.1.1.1, 10.0.0.9", "1.1.1.1"},
        {{"10.0.0.0/8"}, "10.0.0.1", "10.0.0.7, 10.0.0.9", "10.0.0.7"},
        {{"10.0.0.1"}, "10.0.0.1", "3.3.3.3, 10.0.0.2", "10.0.0.2"},
        {{"10.0.0.0/255.255.255.0"}, "10.0.0.1", "1.1.1.1, 10.0.1.1", "10.0.1.1"},
        {{"loopback"}, "127.0.0.1", "2.2.2.2, 1.1.1.1", "1.1.1.1"},
        {{"Loopback"}, "::1", "2.2.2.2, 127.9.9.9", "2.2.2.2"},
        {{"linklocal"}, "169.254.1.1", "1.1.1.1", "1.1.1.1"},
        {{"linklocal"}, "fe80::1%eth0", "1.1.1.1", "1.1.1.1"},
        {{"uniquelocal"}, "192.168.3.4", "1.1.1.1, 172.20.0.1, fd12::1, 10.0.0.1", "1.1.1.1"},
        {{"uniquelocal"}, "127.0.0.1", "1.1.1.1", "127.0.0.1"},
        {{"loopback", "uniquelocal"}, "127.0.0.1", "1.1.1.1, 10.0.0.1", "1.1.1.1"},
        {{"loopback", "8.8.8.8", "2001:db8::/32"}, "127.0.0.1", "1.1.1.1, 2001:DB8::7, 8.8.8.8", "1.1.1.1"},
        // immense/Remotely#166: a socket for both families
        {{"127.0.0.1"}, "::ffff:127.0.0.1", "::ffff:1.1.1.1", "1.1.1.1"},
        {{"::ffff:10.0.0.0/104"}, "10.0.0.1", "1.1.1.1", "1.1.1.1"},
        // home-assistant/core#52480, goauthentik/authentik#25679: ports behind each
        {{"1"}, "10.0.0.1", "1.1.1.1:22358", "1.1.1.1"},
        {{"2"}, "10.0.0.1", "[2001:db8::7]:64828, 1.1.1.1:22358", "2001:db8::7"},
        // Azure/iisnode#26, un33k/django-ipware#87
        {{"true"}, "10.0.0.1", "unknown, 1.1.1.1:17085", "1.1.1.1"},
        {{"true"}, "10.0.0.1", "3.3.3.3, <script>, 1.1.1.1", "1.1.1.1"},
        {{"true"}, "10.0.0.1", "_hidden", "10.0.0.1"},
        {{"1"}, "10.0.0.1", "3.3.3.3, ", "3.3.3.3"},
        {{"2"}, "10.0.0.1", " , 3.3.3.3,,\t1.1.1.1 ,", "3.3.3.3"},
        {{"true"}, "10.0.0.1", ",,,", "10.0.0.1"},
    };
    for (const auto& r : rows) {
        const auto trusted = TrustedProxies::parse(r.trusted);
        ASSERT_TRUE(trusted) << r.forwarded_for;
        EXPECT_EQ(clientAddress(r.connected, r.forwarded_for, *trusted), r.client)
            << testing::PrintToString(r.trusted) << ' ' << r.connected << ' ' << r.forwarded_for;
    }
}

TEST(ClientAddress, WhatNobodyCanTrust) {
    const Words cases[] = {{"-1"},
                           {"1.5"},
                           {"101"},
                           {"nginx"},
                           {"10.0.0.0/0"},
                           {"::/0"},
                           {"10.0.0.0/33"},
                           {"loopback/8"},
                           {"true", "1"},
                           {"1", "2"},
                           {"10.0.0.1", "true"},
                           {"example.com"},
                           Words(101, "10.0.0.1")};
    for (const auto& words : cases)
        EXPECT_FALSE(TrustedProxies::parse(words)) << testing::PrintToString(words);
}

}  // namespace
}  // namespace stepper::http
