// What the isolation tests say to an instance.
#pragma once
#include <string>
#include <string_view>

#include "core/plugin/abi/instance.h"
#include "core/plugin/abi/views.h"

namespace stepper::plugin {

// Everything one step showed to the host, emits first, so that two instances can be compared.
struct Shown {
    std::string text, all;
    int32_t action = -1;
    Result<void> result;
};

inline std::string shown(stepper_str s) {
    if (!s.ptr) return s.len == 0 ? "absent" : "wrong";
    return s.len > (100u << 20) ? "wrong" : "'" + std::string(s.ptr, s.len) + "'";
}

inline stepper_event eventOf(int32_t kind, std::string_view data = {}) {
    stepper_event event{};
    event.struct_size = sizeof event;
    event.kind = kind;
    event.data = toAbi(data);
    return event;
}

// Headers past the number a host takes count as none, wherever they point.
inline std::string shown(const stepper_action& a) {
    std::string out =
        "action " + std::to_string(a.kind) + " " + std::to_string(a.wait_ms) + " " + std::to_string(a.flags);
    const auto& r = a.request;
    const bool believed = r.headers && r.header_count <= 64;
    for (const int64_t n :
         {int64_t{r.body_mode}, int64_t{r.auth_mode}, int64_t{r.flags}, int64_t{r.timeout_ms},
          int64_t{r.idle_timeout_ms}, static_cast<int64_t>(r.max_response_bytes),
          static_cast<int64_t>(r.header_count), int64_t{believed}})
        out += " " + std::to_string(n);
    for (const auto s : {r.method, r.url, r.auth_name, r.body}) out += " " + shown(s);
    for (size_t i = 0; believed && i < r.header_count; ++i)
        out += " " + shown(r.headers[i].key) + "=" + shown(r.headers[i].value);
    const auto& e = a.error;
    for (const int64_t n :
         {int64_t{e.error_class}, int64_t{e.http_status}, int64_t{e.flags}, e.retry_after_ms})
        out += " " + std::to_string(n);
    return out + " " + shown(e.message) + " " + shown(e.provider_code);
}

inline Shown step(RawSession& session, stepper_event event) {
    Shown out;
    event.sink = &out;
    event.emit = [](void* sink, int32_t kind, stepper_str s) {
        auto& to = *static_cast<Shown*>(sink);
        to.all += std::to_string(kind) + shown(s) + "\n";
        if (s.ptr && kind == STEPPER_OUT_TEXT && s.len < (100u << 20)) to.text.append(s.ptr, s.len);
    };
    stepper_action action{};
    action.struct_size = sizeof action;
    action.request.struct_size = sizeof action.request;
    action.error.struct_size = sizeof action.error;
    action.error.retry_after_ms = -1;
    out.result = session.step(event, action);
    out.action = action.kind;
    out.all += out.result ? shown(action) : out.result.error().message;
    return out;
}

// The text the first step of such a session emits, or what went wrong.
inline std::string said(Instance& instance, std::string_view request, Purpose purpose = Purpose::Generate) {
    const auto session = instance.begin(purpose, request);
    if (!session) return session.error().message;
    const Shown out = step(**session, eventOf(STEPPER_EV_START));
    return out.result ? out.text : out.result.error().message;
}

}  // namespace stepper::plugin
