#include "core/app/client.h"

#include "core/app/admin_token.h"
#include "core/app/configuration.h"
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

Client::Client(std::string url, const Options& options, config::Config config)
    : url_(std::move(url)),
      is_here_(!options.server || isLoopback(hostOf(url_))),
      key_(options.key),
      config_(std::move(config)),
      transport_(std::make_unique<transport::CurlTransport>()) {}

Result<Client> Client::make(const Options& options) {
    auto config = loadSettings(options);
    if (!config) return config.error();
    if (options.server) return Client(*options.server, options, *std::move(config));
    const auto& [host, port] = std::tie(config->server.host, config->server.port);
    if (port == 0)
        return Error{
            ErrorClass::Config,
            "the configured server listens on any free port; name it with --server http://HOST:PORT"};
    return Client("http://" + reachable(host) + ":" + std::to_string(port), options, *std::move(config));
}

Result<config::Secret> Client::keyFor(std::string_view path) const {
    const config::Security& security = config_.security;
    if (key_) return *key_;
    if (!path.starts_with("/admin/")) return security.api_key;
    if (!security.admin_key.empty()) return security.admin_key;
    if (is_here_) return readAdminToken(adminTokenPath(config_));
    return Error{ErrorClass::Config, "name that server's admin key with --key or STEPPER_ADMIN_KEY"};
}

Result<Client::Answer> Client::call(std::string_view method, const std::string& path, std::string body) {
    transport::HttpRequest request;
    request.method = method;
    request.url = url_ + path;
    request.body = std::move(body);
    if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    const auto key = keyFor(path);
    if (key && !key->empty()) request.headers.emplace_back(config_.security.api_key_header, key->reveal());
    request.deadline = std::chrono::steady_clock::now() + kTimeout;
    request.first_byte_timeout = request.idle_timeout = kTimeout;
    request.max_response_bytes = kLargestAnswer;
    CancelToken none;
    auto exchange = transport_->open(std::move(request), none);
    if (!exchange) return std::move(exchange).error();

    Answer out;
    if (!key) out.hint = key.error().message;
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
    std::string out = "the server answered " + std::to_string(answer.status);
    for (const char* member : {"error", "message"})
        if (const auto said = json::string(answer.body, member)) out += ": " + std::string(*said);
    const bool lacks_key = answer.status == 401 || answer.status == 403;
    return lacks_key && !answer.hint.empty() ? out + " (" + answer.hint + ")" : out;
}

}  // namespace stepper::app
