#include <csignal>
#include <cstdio>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "core/transport/curl_transport.h"
#include "tests/unit/transport/exchange_helper.h"
#include "tests/unit/transport/raw_server.h"

namespace stepper::transport {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

template <class T, void (*Free)(T*)>
struct Freeing {
    void operator()(T* object) const { Free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freeing<X509, X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Freeing<SSL_CTX, SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freeing<SSL, SSL_free>>;

constexpr long kDay = 86'400;

Certificate selfSigned(EVP_PKEY* key, const std::string& subject, long expires_in) {
    Certificate certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -2 * kDay);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), expires_in);
    X509_set_pubkey(certificate.get(), key);
    X509_NAME* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1,
                               -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, subject.c_str());
    X509_add_ext(certificate.get(), extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(certificate.get(), key, EVP_sha256());
    return certificate;
}

// OpenSSL's own sockets raise it; the client side must do without this, or a server could end the process.
void blockBrokenPipe() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

class Tls : public testing::Test {
protected:
    // The server's certificate, which is also the only authority `trusting_` knows.
    void certify(const std::string& subject, long expires_in = kDay) {
        key_.reset(EVP_EC_gen("P-256"));
        certificate_ = selfSigned(key_.get(), subject, expires_in);
        context_.reset(SSL_CTX_new(TLS_server_method()));
        SSL_CTX_use_certificate(context_.get(), certificate_.get());
        SSL_CTX_use_PrivateKey(context_.get(), key_.get());

        CurlOptions options;
        options.ca_file = testing::TempDir() + "transport_tls_test.pem";
        std::FILE* file = std::fopen(options.ca_file.c_str(), "w");
        ASSERT_TRUE(file && PEM_write_X509(file, certificate_.get()) == 1);
        std::fclose(file);
        trusting_ = std::make_unique<CurlTransport>(options);
    }

    RawServer::Script serving() {
        return [this](Peer& peer) {
            blockBrokenPipe();
            const Session session(SSL_new(context_.get()));
            SSL_set_fd(session.get(), peer.socket());
            if (SSL_accept(session.get()) != 1) return;
            const std::string answer = response("200 OK", "hello");
            char buffer[4096];
            while (SSL_read(session.get(), buffer, sizeof buffer) > 0)
                SSL_write(session.get(), answer.data(), static_cast<int>(answer.size()));
        };
    }

    static HttpRequest requestFor(const RawServer& server) {
        HttpRequest request = requestTo("https://127.0.0.1:" + std::to_string(server.port()) + "/?key=hush");
        request.method = "GET";
        request.body.clear();
        return request;
    }

    static void expectRefusal(Transport& transport, const RawServer& server, const std::string& why) {
        const Outcome out = run(transport, requestFor(server));
        EXPECT_EQ(out.errorClass(), ErrorClass::Transport);
        EXPECT_THAT(out.message(),
                    HasSubstr("TLS with 127.0.0.1:" + std::to_string(server.port()) + " failed: "));
        EXPECT_THAT(out.message(), HasSubstr(why));
        EXPECT_THAT(out.message(), testing::Not(HasSubstr("hush")));
    }

    Key key_;
    Certificate certificate_;
    Context context_;
    std::unique_ptr<CurlTransport> trusting_;
};

TEST_F(Tls, TrustedServerIsAnswered) {
    certify("IP:127.0.0.1");
    RawServer server(serving());
    for (int i = 0; i < 3; ++i) EXPECT_THAT(run(*trusting_, requestFor(server)).data, ElementsAre("hello"));
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(Tls, UnknownAuthority) {
    certify("IP:127.0.0.1");
    RawServer server(serving());
    CurlTransport transport;
    expectRefusal(transport, server, "certificate");
}

TEST_F(Tls, WrongHost) {
    certify("DNS:example.org");
    RawServer server(serving());
    expectRefusal(*trusting_, server, "127.0.0.1");
}

TEST_F(Tls, ExpiredCertificate) {
    certify("IP:127.0.0.1", -kDay);
    RawServer server(serving());
    expectRefusal(*trusting_, server, "expired");
}

TEST_F(Tls, OldVersionsAreNotSpoken) {
    certify("IP:127.0.0.1");
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), TLS1_1_VERSION);
    RawServer server(serving());
    expectRefusal(*trusting_, server, "version");
}

TEST_F(Tls, SilentHandshakeTimesOut) {
    RawServer server([](Peer& peer) { peer.closes(2s); });
    CurlTransport transport;
    HttpRequest request = requestFor(server);
    request.connect_timeout = 80ms;
    const Outcome out = run(transport, request);
    EXPECT_EQ(out.errorClass(), ErrorClass::Timeout);
    EXPECT_THAT(out.message(), HasSubstr("within 80ms"));
}

TEST_F(Tls, CancelCutsTheHandshake) {
    CancelSource source(CancelReason::Requested);
    CancelToken token;
    token.watch(source);
    std::promise<bool> closed;
    std::chrono::steady_clock::time_point cancelled;
    RawServer server([&](Peer& peer) {
        peer.closes(30ms);  // takes the client's hello
        cancelled = std::chrono::steady_clock::now();
        source.cancel();
        closed.set_value(peer.closes(2s));
    });
    CurlTransport transport;
    auto exchange = transport.open(requestFor(server), token);
    ASSERT_TRUE(exchange);
    EXPECT_EQ(drain(**exchange).errorClass(), ErrorClass::Cancelled);
    EXPECT_TRUE(closed.get_future().get());
    EXPECT_LT(std::chrono::steady_clock::now() - cancelled, 200ms);
}

}  // namespace
}  // namespace stepper::transport
