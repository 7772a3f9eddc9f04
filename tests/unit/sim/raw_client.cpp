#include "tests/unit/sim/raw_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/text.h"

namespace stepper::sim {
namespace {

std::string unchunked(std::string_view raw) {
    std::string out;
    for (;;) {
        const auto line = raw.find("\r\n");
        if (line == std::string_view::npos) return out;
        const auto bytes = std::stoul(std::string(raw.substr(0, line)), nullptr, 16);
        raw.remove_prefix(line + 2);
        if (bytes == 0) return out;
        out += raw.substr(0, bytes);
        raw.remove_prefix(std::min(raw.size(), bytes + 2));
    }
}

bool isComplete(const Received& r) {
    if (r.head().empty()) return false;
    if (r.header("transfer-encoding") == "chunked") return r.bytes.ends_with("\r\n0\r\n\r\n");
    const auto length = r.header("content-length");
    return !length.empty() && r.rawBody().size() >= std::strtoull(length.c_str(), nullptr, 10);
}

}  // namespace

std::string Received::head() const {
    const auto blank = bytes.find("\r\n\r\n");
    return blank == std::string::npos ? "" : bytes.substr(0, blank + 2);
}

int Received::status() const { return head().empty() ? 0 : std::stoi(bytes.substr(9, 3)); }

std::vector<std::string> Received::headers(std::string_view name) const {
    std::vector<std::string> out;
    const auto text = head();
    for (const auto line : splitLines(text)) {
        const auto colon = line.find(':');
        if (colon != std::string_view::npos && equalsIgnoreCase(line.substr(0, colon), name))
            out.emplace_back(trim(line.substr(colon + 1)));
    }
    return out;
}

std::string Received::header(std::string_view name) const {
    const auto all = headers(name);
    return all.empty() ? "" : all.front();
}

std::string Received::rawBody() const {
    const auto blank = bytes.find("\r\n\r\n");
    return blank == std::string::npos ? "" : bytes.substr(blank + 4);
}

std::string Received::body() const {
    return header("transfer-encoding") == "chunked" ? unchunked(rawBody()) : rawBody();
}

json::Document Received::json() const { return parsed(body()); }

RawClient::RawClient(const std::string& url) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
}

RawClient::~RawClient() { close(); }

void RawClient::close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
}

void RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return;
        bytes.remove_prefix(static_cast<size_t>(n));
    }
}

Received RawClient::receive(milliseconds deadline, size_t max_bytes) {
    const auto until = std::chrono::steady_clock::now() + deadline;
    Received out;
    char block[65536];
    while (out.bytes.size() < max_bytes) {
        const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now()).count();
        pollfd readable{socket_, POLLIN, 0};
        if (left <= 0 || ::poll(&readable, 1, static_cast<int>(left)) == 0) return out;
        const auto n = ::recv(socket_, block, sizeof block, 0);
        if (n <= 0) {
            out.end = n == 0 ? Received::End::Closed : Received::End::Reset;
            return out;
        }
        out.bytes.append(block, static_cast<size_t>(n));
        if (isComplete(out)) {
            out.end = Received::End::Complete;
            return out;
        }
    }
    return out;
}

std::string request(std::string_view method, std::string_view target, std::string_view body,
                    std::string_view headers) {
    return std::string(method)
               .append(" ")
               .append(target)
               .append(" HTTP/1.1\r\nHost: sim\r\n")
               .append(headers) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

Received Running::call(std::string_view method, const std::string& target, std::string_view body,
                       std::string_view headers, milliseconds deadline) const {
    RawClient client(server.url());
    client.send(request(method, target, body, headers));
    return client.receive(deadline);
}

void Running::put(const std::string& instance, std::string_view behaviour) const {
    const auto reply = call("PUT", "/_sim/p/" + instance, behaviour);
    EXPECT_EQ(reply.status(), 200) << reply.body();
}

bool Running::eventually(const std::string& instance, const std::function<bool(const Counters&)>& satisfied) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!satisfied(counters(instance))) {
        if (std::chrono::steady_clock::now() > until) return false;
        ::poll(nullptr, 0, 1);
    }
    return true;
}

json::Document parsed(std::string_view text) {
    auto document = json::parse(text);
    if (document) return std::move(document).value();
    ADD_FAILURE() << document.error().message << " in " << text;
    return json::Document(rapidjson::kObjectType);
}

Events eventsOf(const std::string& body) {
    Events out;
    for (const auto line : splitLines(body)) {
        if (line.starts_with("event: ")) out.names.emplace_back(line.substr(7));
        if (!line.starts_with("data: ")) continue;
        const auto data = line.substr(6);
        if (data.starts_with("{") || data.starts_with("["))
            if (auto document = json::parse(data)) {
                out.data.push_back(std::move(document).value());
                continue;
            }
        out.others.emplace_back(data);
    }
    return out;
}

}  // namespace stepper::sim
