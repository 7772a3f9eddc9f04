#include "core/http/writer.h"

#include <algorithm>
#include <sstream>

#include <Poco/Net/HTTPResponse.h>
#include <Poco/Timestamp.h>

#include "core/base/text.h"

namespace stepper::http {
namespace {

bool isControl(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

bool isOurs(std::string_view name) {
    return equalsIgnoreCase(name, "content-length") || equalsIgnoreCase(name, "transfer-encoding") ||
           equalsIgnoreCase(name, "connection") || equalsIgnoreCase(name, "x-request-id");
}

void addAll(Poco::Net::HTTPResponse& out, const Headers& headers) {
    for (const auto& [name, value] : headers) {
        const bool breaks_out = std::any_of(name.begin(), name.end(), isControl) ||
                                std::any_of(value.begin(), value.end(), isControl);
        if (!breaks_out && !isOurs(name)) out.add(name, value);
    }
}

void addSecurity(Poco::Net::HTTPResponse& out) {
    out.set("X-Content-Type-Options", "nosniff");
    out.set("X-Frame-Options", "DENY");
    out.set("Content-Security-Policy", "default-src 'none'");
    out.set("Referrer-Policy", "no-referrer");
    if (!out.has("Cache-Control")) out.set("Cache-Control", "no-store");
}

}  // namespace

std::string serialise(const Response& response, const Envelope& envelope) {
    using Poco::Net::HTTPResponse;
    const bool has_body = response.status != HTTPResponse::HTTP_NO_CONTENT &&
                          response.status != HTTPResponse::HTTP_NOT_MODIFIED;
    HTTPResponse head(HTTPResponse::HTTP_1_1, static_cast<HTTPResponse::HTTPStatus>(response.status));
    head.setDate(Poco::Timestamp());
    addAll(head, response.headers);
    addAll(head, envelope.add);
    head.set("X-Request-Id", std::string(envelope.request_id));
    if (envelope.security_headers) addSecurity(head);
    head.setKeepAlive(envelope.keep_alive);
    if (has_body) {
        head.setContentType(response.content_type);
        head.setContentLength64(static_cast<Poco::Int64>(response.body.size()));
    }
    std::ostringstream out;
    head.write(out);
    auto bytes = std::move(out).str();
    if (has_body && !envelope.head_only) bytes += response.body;
    return bytes;
}

}  // namespace stepper::http
