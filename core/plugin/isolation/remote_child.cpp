#include "core/plugin/isolation/remote_child.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/wait.h>

#include "core/base/text.h"
#include "core/base/units.h"

namespace stepper::plugin {
namespace {

// A process that closed its socket is as good as gone; the kernel needs a moment to say how.
constexpr milliseconds kDying{500};
constexpr size_t kMaxLogText = 4'096;

}  // namespace

Error RemotePlugin::error(ErrorClass error_class, const std::string& what) const {
    return Error{error_class, "plugin " + kind + " " + what};
}

RemoteChild::RemoteChild(std::shared_ptr<const RemotePlugin> plugin, ChildProcess process, Descriptor socket)
    : plugin_(std::move(plugin)),
      process_(std::move(process)),
      socket_(std::move(socket)),
      channel_(socket_.get(), plugin_->options.step_timeout) {}

RemoteChild::~RemoteChild() { end(plugin_->options.step_timeout); }

Result<std::shared_ptr<RemoteChild>> RemoteChild::start(std::shared_ptr<const RemotePlugin> plugin) {
    const RemoteOptions& options = plugin->options;
    std::string frame, payload;
    const wire::Create create{static_cast<uint32_t>(options.step_timeout.count()), options.memory_bytes,
                              plugin->config_json};
    if (!wire::encode(create, frame))
        return plugin->error(ErrorClass::Config, "cannot be given a configuration of that size");

    std::vector<std::string> command{options.program};
    command.insert(command.end(), options.arguments.begin(), options.arguments.end());
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return plugin->error(ErrorClass::Internal, std::string("has no socket: ") + std::strerror(errno));
    Descriptor ours(ends[0]);
    Descriptor theirs(ends[1]);
    // What ends the host must not end the child first: requests are still being finished then.
    std::vector<ChildProcess::Handover> descriptors{{ends[1], wire::kChildSocket}};
    command.push_back(plugin->copy.inChild(descriptors));
    auto process = ChildProcess::spawn(std::move(command), descriptors, ChildProcess::Ends::WithHost);
    if (!process) return plugin->error(ErrorClass::Internal, "has no process: " + process.error().message);
    theirs.close();
    std::shared_ptr<RemoteChild> child(
        new RemoteChild(std::move(plugin), std::move(process).value(), std::move(ours)));

    auto answered = child->call(frame, payload);
    if (!answered) return std::move(answered).error();
    if (*answered == wire::Kind::Threw)
        return child->plugin().error(ErrorClass::Config, "threw an exception across the C boundary");
    wire::Status status{};
    if (*answered != wire::Kind::Status || !wire::decode(payload, status)) return child->condemn();
    if (status.status == STEPPER_OK) return child;
    return Error{ErrorClass::Config,
                 "plugin " + child->plugin().kind + ": " +
                     (status.text.empty() ? "refused its configuration" : toValidUtf8(status.text))};
}

Result<wire::Kind> RemoteChild::call(std::string_view frame, std::string& payload) {
    std::lock_guard lock(mutex_);
    if (fate_) return *fate_;
    wire::Kind kind{};
    if (const Transfer went = exchange(frame, kind, payload); went != Transfer::Ok) return bury(went);
    return kind;
}

void RemoteChild::tell(std::string_view frame) {
    std::lock_guard lock(mutex_);
    if (fate_) return;
    if (const Transfer went = channel_.send(frame, deadline()); went != Transfer::Ok) bury(went);
}

Error RemoteChild::condemn() {
    std::lock_guard lock(mutex_);
    return fate_ ? *fate_ : bury(Transfer::Garbled);
}

bool RemoteChild::dead() {
    std::lock_guard lock(mutex_);
    if (!fate_ && channel_.closed()) bury(Transfer::Closed);
    return fate_.has_value();
}

SteadyTime RemoteChild::deadline() const {
    return std::chrono::steady_clock::now() + plugin_->options.step_timeout;
}

Transfer RemoteChild::exchange(std::string_view frame, wire::Kind& kind, std::string& payload) {
    const SteadyTime until = deadline();
    if (const Transfer went = channel_.send(frame, until); went != Transfer::Ok) return went;
    for (;;) {
        if (const Transfer went = channel_.receive(kind, payload, until); went != Transfer::Ok) return went;
        if (kind != wire::Kind::Log) return Transfer::Ok;
        wire::Log line{};
        if (!wire::decode(payload, line) || line.text.size() > kMaxLogText) return Transfer::Garbled;
        if (plugin_->options.log)
            plugin_->options.log(std::clamp<int32_t>(line.level, STEPPER_LOG_DEBUG, STEPPER_LOG_ERROR),
                                 toValidUtf8(line.text));
    }
}

// Lets the child see that it is no longer wanted, and says how it ended.
std::string RemoteChild::end(milliseconds grace) {
    socket_.close();
    const auto status = process_.end(std::chrono::steady_clock::now() + grace);
    if (!status) return "left its host without an answer and was ended";
    if (WIFSIGNALED(*status))
        return "crashed in its own process (signal " + std::to_string(WTERMSIG(*status)) + ")";
    return "ended its own process (exit status " + std::to_string(WEXITSTATUS(*status)) + ")";
}

Error RemoteChild::bury(Transfer why) {
    const milliseconds timeout = plugin_->options.step_timeout;
    const std::string ended = end(why == Transfer::Closed ? kDying : milliseconds{0});
    switch (why) {
        case Transfer::TimedOut:
            fate_ = plugin_->error(ErrorClass::Internal,
                                   "hung in its own process and was ended after " + formatDuration(timeout));
            break;
        case Transfer::Garbled:
            fate_ =
                plugin_->error(ErrorClass::Internal, "sent garbage from its own process, which was ended");
            break;
        default: fate_ = plugin_->error(ErrorClass::Internal, ended);
    }
    return *fate_;
}

}  // namespace stepper::plugin
