#include "core/app/client.h"

#include "core/app/host.h"
#include "core/base/endpoint.h"

namespace stepper::app {
namespace {

constexpr std::chrono::seconds kTimeout{90};
constexpr uint64_t kLargestAnswer = 256u << 20;

// Where a server that listens on all addresses can be reached from its own machine.
std::string reachable(const std::string& host) {
    if (host == "0.0.0.0") return "127.0.0.1";
    return host == "::" ? "[::1]" : bracketed(host);
}

}  // namespace

Client::Client(std::string url, const config::Security& security)
    : url_(std::move(url)), security_(security), transport_(std::make_unique<transport::CurlTransport>()) {}

Result<Client> Client::make(const Options& options) {
    const auto config = loadConfig(options);
    if (!config) return config.error();
    if (options.server) return Client(*options.server, config->security);
    const auto& [host, port] = std::tie(config->server.host, config->server.port);
    if (port == 0)
        return Error{
            ErrorClass::Config,
            "the configured server listens on any free port; name it with --server http://HOST:PORT"};
    return Client("http://" + reachable(host) + ":" + std::to_string(port), config->security);
}

Result<Client::Answer> Client::call(std::string_view method, const std::string& path, std::string body) {
    transport::HttpRequest request;
    request.method = method;
    request.url = url_ + path;
    request.body = std::move(body);
    if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    const bool admin = path.starts_with("/admin/") && !security_.admin_key.empty();
    const auto& key = admin ? security_.admin_key : security_.api_key;
    if (!key.empty()) request.headers.emplace_back(security_.api_key_header, key.reveal());
    request.deadline = std::chrono::steady_clock::now() + kTimeout;
    request.first_byte_timeout = request.idle_timeout = kTimeout;
    request.max_response_bytes = kLargestAnswer;
    CancelToken none;
    auto exchange = transport_->open(std::move(request), none);
    if (!exchange) return std::move(exchange).error();

    Answer out;
    for (;;) {
        const auto event = (*exchange)->next();
        using Kind = transport::HttpEvent::Kind;
        if (event.kind == Kind::Failed)
            return Error{ErrorClass::Transport,
                         "no answer from " + url_ + ": " + event.error.message +
                             "; is `stepper serve` running there? (--server URL names another)"};
        if (event.kind == Kind::Head) out.status = event.status;
        if (event.kind == Kind::Data) out.text += event.data;
        if (event.kind == Kind::End) break;
    }
    if (auto parsed = json::parse(out.text)) out.body = std::move(parsed).value();
    return out;
}

std::string problemOf(const Client::Answer& answer) {
    const auto said = json::string(answer.body, "error");
    return "the server answered " + std::to_string(answer.status) + (said ? ": " + std::string(*said) : "");
}

}  // namespace stepper::app
