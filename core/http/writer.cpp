#include "core/http/writer.h"

#include <algorithm>

#include <Poco/Net/HTTPResponse.h>

#include "core/base/text.h"

namespace stepper::http {
namespace {

using Poco::Net::HTTPResponse;

constexpr std::string_view kSecurityHeaders =
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "X-DNS-Prefetch-Control: off\r\n"
    "X-Permitted-Cross-Domain-Policies: none\r\n"
    "Content-Security-Policy: default-src 'none'\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Origin-Agent-Cluster: ?1\r\n"
    "Referrer-Policy: no-referrer\r\n";

bool isControl(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

bool isOurs(std::string_view name) {
    return equalsIgnoreCase(name, "content-length") || equalsIgnoreCase(name, "transfer-encoding") ||
           equalsIgnoreCase(name, "connection") || equalsIgnoreCase(name, "keep-alive") ||
           equalsIgnoreCase(name, "x-request-id");
}

void put(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

void putAll(std::string& out, const Headers& headers) {
    for (const auto& [name, value] : headers) {
        const bool breaks_out = std::any_of(name.begin(), name.end(), isControl) ||
                                std::any_of(value.begin(), value.end(), isControl);
        if (!breaks_out && !isOurs(name)) put(out, name, value);
    }
}

bool names(const Headers& headers, std::string_view wanted) {
    return std::any_of(headers.begin(), headers.end(),
                       [&](const auto& h) { return equalsIgnoreCase(h.first, wanted); });
}

}  // namespace

Framing framingOf(const Response& response, bool http10) {
    if (response.status == HTTPResponse::HTTP_NO_CONTENT ||
        response.status == HTTPResponse::HTTP_NOT_MODIFIED)
        return Framing::NoBody;
    if (!response.stream) return Framing::Length;
    return http10 ? Framing::UntilClose : Framing::Chunked;
}

std::string headOf(const Response& response, const Envelope& envelope) {
    const auto status = static_cast<HTTPResponse::HTTPStatus>(response.status);
    std::string out;
    out.reserve(768);
    out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
    out.append(HTTPResponse::getReasonForStatus(status)).append("\r\n");
    put(out, "Date", httpDate(std::chrono::system_clock::now()));
    putAll(out, response.headers);
    putAll(out, envelope.add);
    put(out, "X-Request-Id", envelope.request_id);
    if (envelope.security_headers) {
        out += kSecurityHeaders;
        if (!names(response.headers, "cache-control") && !names(envelope.add, "cache-control"))
            put(out, "Cache-Control", "no-store");
    }
    put(out, "Connection", envelope.keep_alive.count() > 0 ? "Keep-Alive" : "Close");
    if (const auto s = std::chrono::floor<std::chrono::seconds>(envelope.keep_alive).count(); s > 0)
        put(out, "Keep-Alive", "timeout=" + std::to_string(s));
    if (envelope.framing != Framing::NoBody) put(out, "Content-Type", response.content_type);
    if (envelope.framing == Framing::Chunked) put(out, "Transfer-Encoding", "chunked");
    if (envelope.framing == Framing::Length)
        put(out, "Content-Length", std::to_string(response.bytes().size()));
    out += "\r\n";
    return out;
}

}  // namespace stepper::http
