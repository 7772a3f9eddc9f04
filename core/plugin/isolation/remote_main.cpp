#include "core/plugin/isolation/remote_main.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include <sys/resource.h>
#include <sys/time.h>

#include "core/plugin/abi/views.h"
#include "core/plugin/isolation/remote_channel.h"
#include "core/plugin/isolation/strays.h"
#include "core/plugin/library/image.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEPPER_SANITIZED_CHILD 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define STEPPER_SANITIZED_CHILD 1
#endif
#endif
#ifndef STEPPER_SANITIZED_CHILD
#define STEPPER_SANITIZED_CHILD 0
#endif

namespace stepper::plugin {
namespace {

// The host ends a hanging child; only one without a host gets to the end of this.
constexpr milliseconds kLongerThanTheHost{500};
constexpr rlim_t kDescriptors = 32;
// Buffers keep no more than this between calls.
constexpr size_t kKeptBuffer = 1u << 20;

void limit(decltype(RLIMIT_CORE) what, rlim_t value) {
    const rlimit both{value, value};
    ::setrlimit(what, &both);
}

// From now on the process has so long; zero: as long as it likes.
void setAlarm(milliseconds time) {
    itimerval timer{};
    timer.it_value.tv_sec = time.count() / 1'000;
    timer.it_value.tv_usec = time.count() % 1'000 * 1'000;
    ::setitimer(ITIMER_REAL, &timer, nullptr);
}

void shrink(std::string& buffer) {
    if (buffer.capacity() > kKeptBuffer) std::string().swap(buffer);
}

extern "C" void emitToAnswer(void* sink, int32_t kind, stepper_str payload) {
    static_cast<wire::AnswerWriter*>(sink)->emit(kind, payload);
}

class Server {
public:
    explicit Server(std::filesystem::path so)
        : so_(std::move(so)), channel_(wire::kChildSocket, milliseconds{0}) {}

    int run();

private:
    // False: the host broke the protocol, or is gone.
    bool serve(wire::Kind kind);
    bool create();
    bool begin();
    bool step();
    bool end();
    bool reply();
    bool reply(int32_t status, std::string_view text);
    bool replyThrew();
    std::string_view load(const wire::Create& message);
    void log(int level, std::string_view text);
    void leave();

    const std::filesystem::path so_;
    const stepper_plugin* table_ = nullptr;  // none: create has yet to succeed
    stepper_provider* provider_ = nullptr;
    std::unordered_map<uint64_t, stepper_session*> sessions_;
    milliseconds alarm_{0};
    std::mutex sending_;  // a plugin may log from any thread
    RemoteChannel channel_;
    std::string payload_, frame_;
    std::vector<stepper_kv> headers_;
};

int Server::run() {
    setPluginLog([this](int level, std::string_view text) { log(level, text); });
    wire::Kind kind{};
    Transfer went = Transfer::Ok;
    while ((went = channel_.receive(kind, payload_, kNoDeadline)) == Transfer::Ok) {
        setAlarm(alarm_);
        if (!serve(kind)) break;
        setAlarm(milliseconds{0});
        shrink(payload_);
        shrink(frame_);
    }
    leave();
    return went == Transfer::Closed ? 0 : 1;
}

bool Server::serve(wire::Kind kind) {
    if (!table_) return kind == wire::Kind::Create && create();
    switch (kind) {
        case wire::Kind::Begin: return begin();
        case wire::Kind::Step: return step();
        case wire::Kind::End: return end();
        default: return false;
    }
}

// Replies with a refusal, after which the host ends us.
bool Server::create() {
    wire::Create message{};
    if (!wire::decode(payload_, message)) return false;
    alarm_ = milliseconds{message.step_timeout_ms} + kLongerThanTheHost;
    setAlarm(alarm_);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, kDescriptors);
    if (message.memory_bytes > 0 && !STEPPER_SANITIZED_CHILD) limit(RLIMIT_DATA, message.memory_bytes);

    auto table = openImage(so_);
    if (!table) return reply(STEPPER_E_CONFIG, table.error().message);
    char text[1'024];
    stepper_text_out error{text, sizeof text, 0};
    int32_t status = STEPPER_E_INTERNAL;
    try {
        status = (*table)->create(toAbi(message.config), &provider_, &error);
    } catch (...) {
        return replyThrew();
    }
    if (status == STEPPER_OK) table_ = *table;
    return reply(status, {text, std::min(error.len, sizeof text)});
}

bool Server::begin() {
    wire::Begin message{};
    if (!wire::decode(payload_, message) || sessions_.count(message.session) > 0) return false;
    char text[1'024];
    stepper_text_out error{text, sizeof text, 0};
    stepper_session* session = nullptr;
    int32_t status = STEPPER_E_INTERNAL;
    try {
        status = table_->begin(provider_, message.job, toAbi(message.request), &session, &error);
    } catch (...) {
        return replyThrew();
    }
    if (status == STEPPER_OK) sessions_.emplace(message.session, session);
    return reply(status, {text, std::min(error.len, sizeof text)});
}

bool Server::step() {
    wire::Step message{};
    if (!wire::decode(payload_, message, headers_)) return false;
    const auto session = sessions_.find(message.session);
    if (session == sessions_.end()) return false;
    wire::AnswerWriter answer(frame_);
    message.event.sink = &answer;
    message.event.emit = &emitToAnswer;
    stepper_action action{};
    action.struct_size = sizeof action;
    action.request.struct_size = sizeof action.request;
    action.error.struct_size = sizeof action.error;
    action.error.retry_after_ms = -1;
    try {
        table_->step(session->second, &message.event, &action);
        answer.finish(action);
    } catch (...) {
        return replyThrew();
    }
    return reply();
}

bool Server::end() {
    uint64_t id = 0;
    if (!wire::decodeEnd(payload_, id)) return false;
    const auto session = sessions_.find(id);
    if (session == sessions_.end()) return false;
    table_->end(session->second);
    sessions_.erase(session);
    return true;
}

bool Server::reply() {
    std::lock_guard lock(sending_);
    return channel_.send(frame_, kNoDeadline) == Transfer::Ok;
}

bool Server::reply(int32_t status, std::string_view text) {
    return wire::encode(wire::Status{status, text}, frame_) && reply();
}

bool Server::replyThrew() {
    wire::encodeBare(wire::Kind::Threw, frame_);
    return reply();
}

void Server::log(int level, std::string_view text) {
    std::string frame;
    if (!wire::encode(wire::Log{level, text}, frame)) return;
    std::lock_guard lock(sending_);
    // The host reads only while it waits for an answer; to wait for it could be for ever.
    channel_.offer(frame);
}

// As the host would: every session, then the provider. The alarm stays on for the destructors of the image.
void Server::leave() {
    setPluginLog({});
    setAlarm(alarm_);
    if (!table_) return;
    for (const auto& [id, session] : sessions_) table_->end(session);
    table_->destroy(provider_);
}

}  // namespace

int remoteMain(const std::filesystem::path& so) {
    adoptStrays();
    const int status = Server(so).run();
    endChildren([](pid_t) { return true; });
    return status;
}

}  // namespace stepper::plugin
