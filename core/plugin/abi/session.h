// Drives one plugin session and polices the ABI: every length, every text's UTF-8, the order of events and
// actions. A misbehaving plugin becomes an INTERNAL failure that names the broken rule.
//
// Sans-I/O: the caller does what the actions say. A session belongs to one thread at a time.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/plugin/abi/instance.h"
#include "core/transport/transport.h"

namespace stepper::plugin {

enum class AuthMode : int32_t { None = 0, Bearer = 1, Header = 2, Query = 3 };

// An HTTP request as the plugin asked for it: no key in it yet, limits not yet applied. 0 = host's default.
struct SendSpec {
    std::string method, url, body;
    transport::Headers headers;
    transport::BodyMode body_mode = transport::BodyMode::Whole;
    AuthMode auth_mode = AuthMode::None;
    std::string auth_name;
    milliseconds timeout{0}, idle_timeout{0};
    uint64_t max_response_bytes = 0;
};

// What the plugin wants next.
struct Continue {};
struct Wait {
    milliseconds duration;
};
struct Done {};
using Action = std::variant<Continue, SendSpec, Wait, Done, Error>;

inline bool hasEnded(const Action& action) {
    return std::holds_alternative<Done>(action) || std::holds_alternative<Error>(action);
}

// What the plugin hands over while it steps. Called on the stepping thread.
class Output {
public:
    virtual ~Output() = default;
    virtual void text(std::string_view) = 0;
    virtual void reasoning(std::string_view) = 0;
    virtual void toolCall(std::string_view json) = 0;
    virtual void finish(std::string_view word) = 0;
    virtual void usage(std::string_view json) = 0;
    virtual void meta(std::string_view json) = 0;
};

// For who only wants to know whether a plugin behaves: the session checks what is emitted, nobody hears it.
class Unheard final : public Output {
    void text(std::string_view) override {}
    void reasoning(std::string_view) override {}
    void toolCall(std::string_view) override {}
    void finish(std::string_view) override {}
    void usage(std::string_view) override {}
    void meta(std::string_view) override {}
};

class Provider;

// Between begin and end. After Done or an Error only destruction is left.
class Session {
public:
    Session(Session&& other) noexcept;
    Session& operator=(Session&&) = delete;
    ~Session();

    // Events. Each may be delivered only where the ABI allows it; the caller keeps that order:
    // start, then per SendSpec head, data*, then end or ioError; timer after a Wait; cancel at any time.
    Action start(Output& out);
    Action head(int status, const transport::Headers& headers, Output& out);
    Action data(std::string_view payload, std::string_view event_name, Output& out);
    Action end(Output& out);
    Action ioError(const Error& error, Output& out);
    Action timer(Output& out);
    // A SendSpec in the answer is a last courtesy to the provider; anything else is ignored.
    Action cancel(Output& out);

private:
    friend class Provider;
    Session(std::shared_ptr<const Provider> provider, std::unique_ptr<RawSession> raw);

    Action step(stepper_event event, Output& out);
    Action check(const stepper_action& action);
    Action checkSend(const stepper_http_request& request);
    Error broken(std::string rule);

    std::shared_ptr<const Provider> provider_;  // keeps provider and image alive
    std::unique_ptr<RawSession> raw_;
    bool open_ = false;  // an exchange is running: only Continue, Done and failures are allowed
    bool finished_ = false;
    std::optional<std::string> fault_;  // of the plugin itself
    int sends_ = 0;
};

// A configured provider of some image. Immutable; safe from any thread.
class Provider : public std::enable_shared_from_this<Provider> {
public:
    // Validates config_json against the plugin's schema, then creates. Config error with the plugin's words.
    static Result<std::shared_ptr<const Provider>> create(
        std::shared_ptr<const PluginImage> image, std::string_view config_json,
        config::Isolation isolation = config::Isolation::None);
    ~Provider() { image_->addUser(-1); }
    Provider(const Provider&) = delete;
    Provider& operator=(const Provider&) = delete;

    // InvalidRequest, Unsupported or Internal, as the plugin said.
    Result<Session> begin(Purpose purpose, std::string_view request_json) const;
    const std::shared_ptr<const PluginImage>& image() const { return image_; }

private:
    Provider(std::shared_ptr<const PluginImage> image, std::unique_ptr<Instance> instance)
        : image_(std::move(image)), instance_(std::move(instance)) {
        image_->addUser(1);
    }
    std::shared_ptr<const PluginImage> image_;
    std::unique_ptr<Instance> instance_;
};

}  // namespace stepper::plugin
