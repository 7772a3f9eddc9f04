// A process that went wrong may send anything: whatever it is, nothing outside its bytes is read or pointed
// to.
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/plugin/isolation/remote_wire.h"

namespace {

using namespace stepper::plugin;

std::string_view payload;

// A length without a pointer stands for a view that was not sent because it cannot be right.
void mustLieInside(stepper_str s) {
    if (s.len == 0 || !s.ptr) return;
    if (s.len > payload.size() || s.ptr < payload.data() ||
        static_cast<size_t>(s.ptr - payload.data()) > payload.size() - s.len)
        __builtin_trap();
}

extern "C" void emitted(void* count, int32_t, stepper_str piece) {
    ++*static_cast<int*>(count);
    mustLieInside(piece);
}

void asAnswer() {
    int count = 0;
    stepper_event event{};
    event.struct_size = sizeof event;
    event.sink = &count;
    event.emit = &emitted;
    stepper_action action{};
    std::vector<stepper_kv> headers;
    if (!wire::decodeAnswer(payload, event, headers, action)) return;
    const auto& r = action.request;
    for (const auto& s :
         {r.method, r.url, r.auth_name, r.body, action.error.message, action.error.provider_code})
        mustLieInside(s);
    for (const auto& [key, value] : headers) {
        mustLieInside(key);
        mustLieInside(value);
    }
}

void asStep() {
    wire::Step step{};
    std::vector<stepper_kv> headers;
    if (!wire::decode(payload, step, headers)) return;
    mustLieInside(step.event.data);
    mustLieInside(step.event.name);
    for (const auto& [key, value] : headers) {
        mustLieInside(key);
        mustLieInside(value);
    }
}

template <class Message>
void as() {
    Message message{};
    static_cast<void>(wire::decode(payload, message));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    payload = {reinterpret_cast<const char*>(data), size};
    asAnswer();
    asStep();
    as<wire::Create>();
    as<wire::Begin>();
    as<wire::Status>();
    as<wire::Log>();
    uint64_t session = 0;
    wire::decodeEnd(payload, session);
    if (size >= wire::kHeadBytes) wire::decodeHead(payload.substr(0, wire::kHeadBytes));
    return 0;
}
