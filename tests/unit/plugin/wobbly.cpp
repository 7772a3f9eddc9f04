// A plugin that does what its request, or its configuration, says: sound things and every unsound one that
// only a process of its own survives. Against the bare C ABI, since the C++ wrapper would not let it.
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../../abi/bare_plugin.h"

extern "C" char** environ;

namespace {

struct Provider {
    std::string config;
};

struct Session {
    std::string request, text;  // text: what the last action points to
    std::vector<stepper_kv> headers;
};

const stepper_host* host_of_image = nullptr;
int steps_of_process = 0, sessions_alive = 0;

stepper_str str(std::string_view s) { return {s.data(), s.size()}; }
std::string_view view(stepper_str s) { return s.ptr ? std::string_view{s.ptr, s.len} : std::string_view{}; }

[[noreturn]] void hang() {
    for (;;) ::pause();
}

void misbehave(std::string_view what) {
    if (what == "segfault") std::raise(SIGSEGV);
    if (what == "abort") std::abort();
    if (what == "hang") hang();
    if (what == "exit") std::_Exit(0);
    if (what == "hang aloud") {
        if (::write(STDERR_FILENO, "!", 1) == 1) hang();
    }
    if (what == "throw") throw std::runtime_error("across the boundary");
}

stepper_status refuse(stepper_text_out* error, std::string_view words, stepper_status status) {
    std::memcpy(error->ptr, words.data(), words.size());
    error->len = words.size();
    return status;
}

void send(Session& s, stepper_action* out) {
    s.headers = {{str("x-empty"), {"", 0}}, {str("x-absent"), {nullptr, 0}}, {str("x-full"), str(s.request)}};
    out->kind = STEPPER_SEND;
    out->flags = 5;
    auto& r = out->request;
    r.body_mode = STEPPER_BODY_SSE;
    r.auth_mode = STEPPER_AUTH_QUERY;
    r.flags = 6;
    r.method = str("PUT");
    r.url = str("http://127.0.0.1/");
    r.auth_name = str("key");
    r.headers = s.headers.data();
    r.header_count = s.headers.size();
    r.body = str(s.request);
    r.timeout_ms = 11;
    r.idle_timeout_ms = 12;
    r.max_response_bytes = 1ull << 40;
}

void fail(stepper_action* out, stepper_str message) {
    out->kind = STEPPER_FAIL;
    out->error.error_class = STEPPER_E_QUOTA;
    out->error.http_status = 429;
    out->error.flags = 7;
    out->error.retry_after_ms = 1ll << 40;
    out->error.message = message;
    out->error.provider_code = {"", 0};
}

// Everything the event holds comes back as text.
void tell(const stepper_event* event) {
    const auto emit = [&](stepper_str s) { event->emit(event->sink, STEPPER_OUT_TEXT, s); };
    const std::string numbers = std::to_string(event->kind) + " " + std::to_string(event->http_status) + " " +
                                std::to_string(event->io_error) + " " + std::to_string(event->now_ms) + " " +
                                std::to_string(event->struct_size) + " " +
                                std::to_string(event->header_count);
    emit(str(numbers));
    for (size_t i = 0; i < event->header_count; ++i) {
        emit(event->headers[i].key);
        emit(event->headers[i].value);
    }
    emit(event->data);
    emit(event->name);
    event->emit(event->sink, STEPPER_OUT_META, str("{}"));
    event->emit(event->sink, 77, str("{}"));
}

void echo(Session& s, const stepper_event* event, stepper_action* out) {
    tell(event);
    switch (event->kind) {
        case STEPPER_EV_START: return send(s, out);
        case STEPPER_EV_IO_ERROR: s.text = view(event->data); return fail(out, str(s.text));
        case STEPPER_EV_END:
            out->kind = STEPPER_WAIT;
            out->wait_ms = 1'234;
            return;
        case STEPPER_EV_TIMER: out->kind = STEPPER_DONE; return;
        case STEPPER_EV_CANCEL: out->kind = 99; return;
        default: out->kind = STEPPER_CONTINUE;
    }
}

void wrong(std::string_view how, const stepper_event* event, stepper_action* out) {
    static const stepper_kv one{str("a"), str("b")};
    out->kind = STEPPER_DONE;
    if (how == "wrong emit") {
        event->emit(event->sink, STEPPER_OUT_TEXT, {nullptr, 7});
        event->emit(event->sink, STEPPER_OUT_TEXT, {"x", static_cast<size_t>(-1)});
        event->emit(event->sink, STEPPER_OUT_TEXT, str("\xff\xfe"));
    }
    if (how == "wrong message") fail(out, {nullptr, 9});
    if (how == "wrong headers" || how == "too many headers") {
        out->kind = STEPPER_SEND;
        out->request.body = {"x", static_cast<size_t>(-1)};
        out->request.header_count = how == "wrong headers" ? 3 : 100'000;
        out->request.headers = how == "wrong headers" ? nullptr : &one;
    }
}

// What a leaking plugin gets: "memory ends" or "memory is endless".
std::string leak() {
    for (int mib = 0; mib < 2'048; ++mib) {
        void* p = std::malloc(1u << 20);
        if (!p) return "memory ends";
        std::memset(p, 1, 4'096);
    }
    return "memory is endless";
}

std::string descriptors() {
    std::string out;
    for (int fd = 0; fd < 1'024; ++fd)
        if (::fcntl(fd, F_GETFD) >= 0) out += std::to_string(fd) + " ";
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return out + "of " + std::to_string(limit.rlim_cur);
}

std::string environment() {
    std::string out;
    for (char** e = environ; e && *e; ++e) out += std::string(*e) + ";";
    return out;
}

bool answersInWords(Session& s) {
    if (s.request == "pid")
        s.text = std::to_string(::getpid());
    else if (s.request == "sessions")
        s.text = std::to_string(sessions_alive);
    else if (s.request == "leak")
        s.text = leak();
    else if (s.request == "descriptors")
        s.text = descriptors();
    else if (s.request == "environment")
        s.text = environment();
    else
        return false;
    return true;
}

stepper_status init(const stepper_host* host) {
    host_of_image = host;
    return STEPPER_OK;
}

stepper_status create(stepper_str config, stepper_provider** out, stepper_text_out* error) {
    const std::string_view what = view(config);
    if (what.substr(0, 7) == "create ") misbehave(what.substr(7));
    if (what == "refuse") return refuse(error, "no such \xff thing", STEPPER_E_CONFIG);
    if (what == "refuse in silence") return STEPPER_E_CONFIG;
    *out = reinterpret_cast<stepper_provider*>(new Provider{std::string(what)});
    return STEPPER_OK;
}

void destroy(stepper_provider* p) {
    auto* provider = reinterpret_cast<Provider*>(p);
    if (provider->config.rfind("destroy ", 0) == 0) misbehave(provider->config.substr(8));
    if (provider->config.rfind("/", 0) == 0) ::unlink(provider->config.c_str());  // a sign of a tidy end
    delete provider;
}

stepper_status begin(stepper_provider*, int32_t job, stepper_str request, stepper_session** out,
                     stepper_text_out* error) {
    const std::string_view what = view(request);
    if (what.substr(0, 6) == "begin ") misbehave(what.substr(6));
    if (what == "refuse") return refuse(error, "not this one", STEPPER_E_INVALID_REQUEST);
    if (what == "refuse in silence") return STEPPER_E_UNSUPPORTED;
    if (what == "refuse at length") return error->len = static_cast<size_t>(-1), STEPPER_E_INTERNAL;
    auto* s = new Session{std::string(what), {}, {}};
    ++sessions_alive;
    if (what == "job") s->request = "say " + std::to_string(job);
    *out = reinterpret_cast<stepper_session*>(s);
    return STEPPER_OK;
}

void step(stepper_session* session, const stepper_event* event, stepper_action* out) {
    auto& s = *reinterpret_cast<Session*>(session);
    ++steps_of_process;
    const std::string_view what = s.request;
    const auto emit = [&](std::string_view text) { event->emit(event->sink, STEPPER_OUT_TEXT, str(text)); };
    if (what.substr(0, 5) == "echo ") return echo(s, event, out);
    if (what.substr(0, 5) == "wrong" || what.substr(0, 3) == "too") return wrong(what, event, out);
    out->kind = STEPPER_DONE;
    if (what.substr(0, 4) == "say ") return emit(what.substr(4));
    if (what == "crash on every third" && steps_of_process % 3 == 0) std::raise(SIGSEGV);
    if (what == "many")
        for (int i = 0; i < 50'000; ++i) emit(std::to_string(i));
    if (what == "flood") {
        s.text.assign(15u << 20, 'x');
        for (int i = 0; i < 6; ++i) emit(s.text);
    }
    if (what == "log") {
        host_of_image->log(host_of_image->ctx, STEPPER_LOG_WARN, str("before"));
        emit("said");
        host_of_image->log(host_of_image->ctx, 99, str("after \xff"));
    }
    if (what == "log for ever")
        for (;;) host_of_image->log(host_of_image->ctx, STEPPER_LOG_WARN, str("again"));
    if (what.substr(0, 5) == "wire ")  // the socket, as a stray write would find it
        if (::write(3, what.data() + 5, what.size() - 5) < 0) std::abort();
    if (what == "close, then hang") {
        ::close(3);
        hang();
    }
    if (answersInWords(s)) return emit(s.text);
    misbehave(what);
}

void end(stepper_session* session) {
    auto* s = reinterpret_cast<Session*>(session);
    if (s->request.rfind("say end ", 0) == 0) misbehave(s->request.substr(8));
    delete s;
    --sessions_alive;
}

}  // namespace

BARE_PLUGIN("wobbly", "1.0.0", init, create, destroy)
