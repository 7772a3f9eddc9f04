// Calls through a proxy, which is a server of ours: what it is shown, and what its failures are called.
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/text.h"
#include "tests/unit/transport/exchange_helper.h"
#include "tests/unit/transport/raw_server.h"

namespace stepper::transport {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Answers every request, and keeps the last.
struct Recorder {
    explicit Recorder(std::string answer)
        : server([this, answer](Peer& peer) {
              for (std::string got = peer.request(); !got.empty(); got = peer.request()) {
                  seen = got;
                  peer.send(answer);
              }
          }) {}
    std::string seen;
    RawServer server;
};

std::string through(const RawServer& server, const std::string& user = "") {
    return "http://" + user + "127.0.0.1:" + std::to_string(server.port());
}

// A variable of the environment while it lives.
class Variable {
public:
    Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
    ~Variable() { ::unsetenv(name_); }

private:
    const char* name_;
};

CurlOptions exemptingNobody() {
    CurlOptions options;
    options.no_proxy = "";
    return options;
}

TEST(Proxy, AProviderOfItsOwn) {
    Recorder proxy(response("200 OK", "by proxy"));
    CurlTransport transport;
    HttpRequest request = requestTo("http://api.example/v1?a=b");
    request.proxy = through(proxy.server, "user:p%40ss@");
    const Outcome out = run(transport, request);
    EXPECT_FALSE(out.error) << out.message();
    EXPECT_THAT(out.data, testing::ElementsAre("by proxy"));
    EXPECT_TRUE(proxy.seen.starts_with("POST http://api.example/v1?a=b HTTP/1.1\r\n")) << proxy.seen;
    EXPECT_THAT(proxy.seen, HasSubstr("Proxy-Authorization: Basic dXNlcjpwQHNz\r\n"));
}

TEST(Proxy, ThatOfTheEnvironmentButNeverForThisMachine) {
    Recorder proxy(response("200 OK", "by proxy")), provider(response("200 OK", "direct"));
    for (const char* name : {"http_proxy", "ALL_PROXY"}) {
        const Variable variable(name, through(proxy.server));
        CurlTransport transport(exemptingNobody());
        EXPECT_THAT(run(transport, requestTo("http://api.example/")).data, testing::ElementsAre("by proxy"))
            << name;
        proxy.seen.clear();
        EXPECT_THAT(run(transport, requestTo(provider.server.url())).data, testing::ElementsAre("direct"))
            << name;
        HttpRequest request = requestTo("http://localhost:" + std::to_string(provider.server.port()) + "/");
        EXPECT_THAT(run(transport, request).data, testing::ElementsAre("direct")) << name;
        request.proxy = through(proxy.server);
        EXPECT_THAT(run(transport, request).data, testing::ElementsAre("direct")) << name;
        EXPECT_THAT(proxy.seen, IsEmpty()) << name;
    }
}

// A pooled handle must forget the proxy of the call before.
TEST(Proxy, EachCallHasItsOwn) {
    Recorder one(response("200 OK", "one")), two(response("200 OK", "two"));
    CurlTransport transport(exemptingNobody());
    HttpRequest request = requestTo("http://api.example/");
    for (int i = 0; i < 2; ++i) {
        request.proxy = through(one.server);
        EXPECT_THAT(run(transport, request).data, testing::ElementsAre("one"));
        request.proxy = through(two.server);
        EXPECT_THAT(run(transport, request).data, testing::ElementsAre("two"));
    }
    request.proxy = "";
    request.url = "http://stepper-test.invalid/";
    EXPECT_THAT(run(transport, request).message(),
                HasSubstr("stepper-test.invalid:80 could not be resolved"));
}

TEST(Proxy, ItsRefusalIsToldAsItsOwnAndShowsNoPassword) {
    CurlTransport transport;
    HttpRequest request = requestTo("https://api.example/v1");
    {
        Recorder proxy(
            response("407 Proxy Authentication Required", "", "Proxy-Authenticate: Basic realm=\"x\"\r\n"));
        request.proxy = through(proxy.server, "user:s3cret@");
        const Outcome out = run(transport, request);
        EXPECT_EQ(out.errorClass(), ErrorClass::Transport);
        EXPECT_THAT(out.message(), HasSubstr("the proxy refused a connection to api.example:443"));
        EXPECT_THAT(out.message(), HasSubstr("HTTP 407, it wants a user name and password"));
        EXPECT_THAT(out.message(), Not(HasSubstr("s3cret")));
        EXPECT_THAT(proxy.seen, HasSubstr("CONNECT api.example:443 HTTP/1.1\r\n"));
        EXPECT_THAT(lower(proxy.seen), Not(HasSubstr("content-type")))
            << "what is the provider's is not the proxy's";
    }
    const Outcome nobody = run(transport, request);  // the proxy is gone
    EXPECT_EQ(nobody.errorClass(), ErrorClass::Transport);
    EXPECT_THAT(nobody.message(), HasSubstr("no connection to api.example:443 through its proxy"));
    EXPECT_THAT(nobody.message(), Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace stepper::transport
