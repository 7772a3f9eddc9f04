#include "core/plugin/isolation/remote_instance.h"

#include <mutex>

#include "core/base/text.h"
#include "core/base/units.h"
#include "core/plugin/isolation/remote_child.h"

namespace stepper::plugin {
namespace {

constexpr const char* kTooMuchToSend = "runs in its own process, which takes at most 80 MiB at a time";

class RemoteSession final : public RawSession {
public:
    static Result<std::unique_ptr<RawSession>> begin(std::shared_ptr<RemoteChild> child, Purpose purpose,
                                                     std::string_view request_json) {
        std::unique_ptr<RemoteSession> self(new RemoteSession(std::move(child)));
        if (auto begun = self->begin(purpose, request_json); !begun) return std::move(begun).error();
        return std::unique_ptr<RawSession>(std::move(self));
    }

    ~RemoteSession() override {
        if (!begun_) return;
        wire::encodeEnd(session_, frame_);
        child_->tell(frame_);
    }

    Result<void> step(const stepper_event& event, stepper_action& out) override {
        if (!wire::encode(wire::Step{session_, event}, frame_))
            return plugin().error(ErrorClass::BadResponse, kTooMuchToSend);
        auto answered = child_->call(frame_, payload_);
        if (!answered) return std::move(answered).error();
        if (*answered == wire::Kind::Threw) return threw();
        if (*answered == wire::Kind::TooLarge)
            return plugin().error(ErrorClass::Internal, "answered one event with more than 80 MiB");
        if (*answered != wire::Kind::Answer || !wire::decodeAnswer(payload_, event, headers_, out))
            return child_->condemn();
        return {};
    }

private:
    explicit RemoteSession(std::shared_ptr<RemoteChild> child)
        : child_(std::move(child)), session_(child_->newSession()) {}

    Result<void> begin(Purpose purpose, std::string_view request_json) {
        if (!wire::encode(wire::Begin{session_, static_cast<int32_t>(purpose), request_json}, frame_))
            return plugin().error(ErrorClass::InvalidRequest, kTooMuchToSend);
        auto answered = child_->call(frame_, payload_);
        if (!answered) return std::move(answered).error();
        if (*answered == wire::Kind::Threw) return threw();
        wire::Status status{};
        if (*answered != wire::Kind::Status || !wire::decode(payload_, status)) return child_->condemn();
        begun_ = status.status == STEPPER_OK;
        if (begun_) return {};
        return Error{errorClassOf(status.status),
                     "plugin " + plugin().kind + ": " +
                         (status.text.empty() ? "refused the request" : toValidUtf8(status.text))};
    }

    const RemotePlugin& plugin() const { return child_->plugin(); }
    Error threw() const {
        return plugin().error(ErrorClass::Internal, "threw an exception across the C boundary");
    }

    const std::shared_ptr<RemoteChild> child_;
    const uint64_t session_;
    bool begun_ = false;
    std::string frame_, payload_;
    std::vector<stepper_kv> headers_;
};

class RemoteInstance final : public Instance {
public:
    RemoteInstance(std::shared_ptr<const RemotePlugin> plugin, std::shared_ptr<RemoteChild> child)
        : plugin_(std::move(plugin)), child_(std::move(child)), policy_(plugin_->options.restarts) {}

    Result<std::unique_ptr<RawSession>> begin(Purpose purpose, std::string_view request_json) override {
        auto child = running();
        if (!child) return std::move(child).error();
        return RemoteSession::begin(std::move(child).value(), purpose, request_json);
    }

private:
    // The child, a new one when it has died and may be started again. Sessions of the old one do not
    // wait for this.
    Result<std::shared_ptr<RemoteChild>> running() {
        std::lock_guard lock(mutex_);
        const SteadyTime now = plugin_->options.now();
        if (child_ && child_->dead()) {
            policy_.crashed(now);
            child_.reset();
        }
        if (child_) return child_;
        if (const milliseconds wait = policy_.wait(now); wait.count() > 0) {
            Error error = plugin_->error(
                ErrorClass::Overloaded,
                "keeps failing in its own process; it is started again in " + formatDuration(wait));
            error.retry_after = wait;
            return error;
        }
        auto started = RemoteChild::start(plugin_);
        if (started) return child_ = *started;
        policy_.crashed(plugin_->options.now());
        // It took this configuration before.
        started.error().error_class = ErrorClass::Internal;
        return started;
    }

    const std::shared_ptr<const RemotePlugin> plugin_;
    std::mutex mutex_;  // the rest
    std::shared_ptr<RemoteChild> child_;
    RestartPolicy policy_;
};

}  // namespace

Result<std::unique_ptr<Instance>> createRemote(PrivateCopy copy, std::string kind, std::string config_json,
                                               const RemoteOptions& options) {
    auto plugin = std::make_shared<const RemotePlugin>(
        RemotePlugin{std::move(copy), std::move(kind), std::move(config_json), options});
    auto child = RemoteChild::start(plugin);
    if (!child) {
        child.error().error_class = ErrorClass::Config;
        return std::move(child).error();
    }
    return std::unique_ptr<Instance>(
        std::make_unique<RemoteInstance>(std::move(plugin), std::move(child).value()));
}

}  // namespace stepper::plugin
