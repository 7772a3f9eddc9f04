// A plugin that breaks one rule of the ABI, which the request names: {"break":"..."}. Written against the
// bare C ABI, since the C++ wrapper would not let it.
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bare_plugin.h"

namespace {

struct Session {
    std::string rule;
    int steps = 0;
};

stepper_str str(std::string_view s) { return {s.data(), s.size()}; }

void send(stepper_action* out, std::string_view url) {
    out->kind = STEPPER_SEND;
    out->request.method = str("POST");
    out->request.url = str(url);
}

void atStart(const std::string& rule, const stepper_event* event, stepper_action* out) {
    static const stepper_kv header = {str("x-split"), str("a\r\nb: c")};
    const auto emit = [&](int32_t kind, stepper_str s) { event->emit(event->sink, kind, s); };
    out->kind = STEPPER_DONE;
    if (rule == "continue at start") out->kind = STEPPER_CONTINUE;
    if (rule == "unknown action") out->kind = 99;
    if (rule == "throw") throw std::runtime_error("across the boundary");
    if (rule == "throw an int") throw 42;
    if (rule == "emit not utf-8") emit(STEPPER_OUT_TEXT, str("\xff\xfe"));
    if (rule == "emit null with a length") emit(STEPPER_OUT_TEXT, {nullptr, 7});
    if (rule == "emit an absurd length") emit(STEPPER_OUT_TEXT, {"x", static_cast<size_t>(-1)});
    if (rule == "emit usage that is no json") emit(STEPPER_OUT_USAGE, str("{"));
    if (rule == "emit an unknown kind") emit(77, str("{\"model\":\"m\"}"));
    if (rule == "fail with a wrong length") {
        out->kind = STEPPER_FAIL;
        out->error.error_class = STEPPER_E_UPSTREAM;
        out->error.message = {nullptr, 9};
    }
    if (rule == "fail with an unknown class") {
        out->kind = STEPPER_FAIL;
        out->error.error_class = 4711;
        out->error.message = str("odd");
    }
    if (rule == "send to a file") send(out, "file:///etc/passwd");
    if (rule == "send a url of two lines") send(out, "http://127.0.0.1/\r\nx: y");
    if (rule == "send a split header") {
        send(out, "http://127.0.0.1/");
        out->request.headers = &header;
        out->request.header_count = 1;
    }
    if (rule == "send headers from nowhere") {
        send(out, "http://127.0.0.1/");
        out->request.header_count = 3;
    }
    if (rule == "send an unknown body mode") {
        send(out, "http://127.0.0.1/");
        out->request.body_mode = 9;
    }
    if (rule == "send without a header for the key") {
        send(out, "http://127.0.0.1/");
        out->request.auth_mode = STEPPER_AUTH_HEADER;
    }
    if (rule == "send twice at once" || rule == "wait while open" || rule == "continue after the end" ||
        rule == "send for ever")
        send(out, "http://127.0.0.1/");
}

void later(const std::string& rule, const stepper_event* event, stepper_action* out) {
    out->kind = STEPPER_CONTINUE;
    if (rule == "send twice at once") send(out, "http://127.0.0.1/");
    if (rule == "wait while open") out->kind = STEPPER_WAIT;
    if (rule == "send for ever" && event->kind == STEPPER_EV_END) send(out, "http://127.0.0.1/");
}

stepper_status begin(stepper_provider*, int32_t, stepper_str request, stepper_session** out,
                     stepper_text_out* error) {
    const std::string_view text(request.ptr, request.len);
    const size_t from = text.find(":\"") + 2;
    auto* session = new Session{std::string(text.substr(from, text.rfind('"') - from))};
    if (session->rule == "begin with a long error") {
        delete session;
        error->len = static_cast<size_t>(-1);
        return STEPPER_E_INTERNAL;
    }
    *out = reinterpret_cast<stepper_session*>(session);
    return STEPPER_OK;
}
void step(stepper_session* s, const stepper_event* event, stepper_action* out) {
    auto& session = *reinterpret_cast<Session*>(s);
    if (session.steps++ == 0) {
        atStart(session.rule, event, out);
    } else {
        later(session.rule, event, out);
    }
}
void end(stepper_session* s) { delete reinterpret_cast<Session*>(s); }

}  // namespace

BARE_PLUGIN("rogue", "1.0.0", bare_init, bare_create, bare_destroy)
