#include "core/transport/curl_error.h"

#include <cerrno>
#include <system_error>

namespace stepper::transport {
namespace {

// libcurl tells of its own sockets and threads as if they were the peer's. Of a connection that the peer or
// the network refused it has the error number.
bool isOurs(const CallFailure& f) {
    switch (f.code) {
        case CURLE_FAILED_INIT: return true;
        case CURLE_COULDNT_CONNECT:
            return f.os_error == 0 || f.os_error == EMFILE || f.os_error == ENFILE || f.os_error == ENOBUFS ||
                   f.os_error == ENOMEM;
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY: return f.problem.find("thread failed to start") != f.problem.npos;
        default: return false;
    }
}

}  // namespace

Error refusedHere(const std::string& peer, std::string_view what) {
    return {ErrorClass::Internal, "the call to " + peer +
                                      " could not be made: this machine refuses the descriptors, threads or "
                                      "memory for it; raise the limits of the process" +
                                      (what.empty() ? "" : " (" + std::string(what) + ")")};
}

Error errorOf(const CallFailure& f, const std::string& peer) {
    const std::string reason = curl_easy_strerror(f.code);
    if (isOurs(f)) return refusedHere(peer, f.problem);
    if (f.proxy_status >= 300)
        return {ErrorClass::Transport,
                "the proxy refused a connection to " + peer + ": HTTP " + std::to_string(f.proxy_status) +
                    (f.proxy_status == 407 ? ", it wants a user name and password" : "")};
    switch (f.code) {
        case CURLE_COULDNT_RESOLVE_HOST:
            return {ErrorClass::Transport, "the name in " + peer + " could not be resolved"};
        case CURLE_COULDNT_RESOLVE_PROXY:
            return {ErrorClass::Transport, "the name of the proxy for " + peer + " could not be resolved"};
        case CURLE_COULDNT_CONNECT:
            return {ErrorClass::Transport,
                    "no connection to " + peer + ": " +
                        (f.os_error ? std::generic_category().message(f.os_error) : reason)};
        case CURLE_PROXY: return {ErrorClass::Transport, "the proxy refused a connection to " + peer};

        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CACERT_BADFILE:
            return {ErrorClass::Transport,
                    "TLS with " + peer + " failed: " + (f.problem.empty() ? reason : std::string(f.problem))};

        case CURLE_BAD_CONTENT_ENCODING:
            return {ErrorClass::BadResponse,
                    peer + " sent a body whose content-encoding is unknown or broken"};
        case CURLE_UNSUPPORTED_PROTOCOL:  // an answer without a status line
        case CURLE_WEIRD_SERVER_REPLY: return {ErrorClass::BadResponse, peer + " did not answer in HTTP"};

        case CURLE_GOT_NOTHING:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_PARTIAL_FILE:
            if (!f.head_seen)
                return {ErrorClass::Transport, peer + " closed the connection without an answer"};
            return {ErrorClass::Transport, "the response of " + peer + " broke off after " +
                                               std::to_string(f.body_bytes) + " bytes"};

        // libcurl's own limit of a header line
        case CURLE_OUT_OF_MEMORY:
            if (!f.head_seen) return {ErrorClass::BadResponse, peer + " sent a header that is too long"};
            break;
        default: break;
    }
    return {ErrorClass::Transport, "the call to " + peer + " failed: " + reason};
}

}  // namespace stepper::transport
