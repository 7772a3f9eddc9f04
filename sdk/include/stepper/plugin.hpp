// stepper/plugin.hpp - a C++20 veneer over plugin_abi.h: derive Provider and Session, end with
// STEPPER_PLUGIN.
//
// Header-only; every plugin gets its own copy and nothing of it crosses the boundary. The bridge keeps the
// last Action alive until the next step, which is the ABI's lifetime rule, and turns every exception into an
// error.
#pragma once
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "stepper/plugin_abi.h"

namespace stepper::sdk {

inline stepper_str toC(std::string_view s) noexcept { return {s.data(), s.size()}; }
inline std::string_view view(stepper_str s) noexcept {
    return s.ptr ? std::string_view{s.ptr, s.len} : std::string_view{};
}

// Thrown by a Provider's constructor when its configuration cannot work.
struct ConfigError : std::runtime_error {
    using runtime_error::runtime_error;
};

struct Request {
    std::string method = "POST", url, body;
    std::vector<std::pair<std::string, std::string>> headers;
    int32_t body_mode = STEPPER_BODY_WHOLE;
    int32_t auth_mode = STEPPER_AUTH_BEARER;
    std::string auth_name;
    uint32_t timeout_ms = 0, idle_timeout_ms = 0;
    uint64_t max_response_bytes = 0;
};

// One event, valid only during Session::step.
class Event {
public:
    explicit Event(const stepper_event& event) noexcept : e_(event) {}
    int32_t kind() const noexcept { return e_.kind; }
    int32_t status() const noexcept { return e_.http_status; }
    int32_t ioError() const noexcept { return e_.io_error; }
    std::string_view data() const noexcept { return view(e_.data); }
    std::string_view name() const noexcept { return view(e_.name); }
    uint64_t nowMs() const noexcept { return e_.now_ms; }
    // The first header of that (lower case) name, or empty.
    std::string_view header(std::string_view lower_name) const noexcept {
        for (size_t i = 0; i < e_.header_count; ++i)
            if (view(e_.headers[i].key) == lower_name) return view(e_.headers[i].value);
        return {};
    }
    const stepper_kv* headers() const noexcept { return e_.headers; }
    size_t headerCount() const noexcept { return e_.header_count; }

    void emit(int32_t out_kind, std::string_view payload) const { e_.emit(e_.sink, out_kind, toC(payload)); }
    void text(std::string_view s) const {
        if (!s.empty()) emit(STEPPER_OUT_TEXT, s);
    }

private:
    const stepper_event& e_;
};

// A failure as a plugin states it; http_status and retry_after_ms are optional.
struct Failure {
    int32_t error_class = STEPPER_E_INTERNAL;
    std::string message;
    int32_t http_status = 0;
    int64_t retry_after_ms = -1;
    std::string provider_code;
};

// What a step returns.
struct Action {
    int32_t kind = STEPPER_CONTINUE;
    uint32_t wait_ms = 0;
    Request request;
    Failure failure;

    static Action more() { return {}; }
    static Action done() { return of(STEPPER_DONE); }
    static Action wait(uint32_t ms) {
        Action a = of(STEPPER_WAIT);
        a.wait_ms = ms;
        return a;
    }
    static Action send(Request request) {
        Action a = of(STEPPER_SEND);
        a.request = std::move(request);
        return a;
    }
    static Action fail(Failure failure) {
        Action a = of(STEPPER_FAIL);
        a.failure = std::move(failure);
        return a;
    }
    static Action fail(int32_t error_class, std::string message, int32_t http_status = 0,
                       int64_t retry_after_ms = -1) {
        return fail(Failure{error_class, std::move(message), http_status, retry_after_ms, {}});
    }

private:
    static Action of(int32_t kind) {
        Action a;
        a.kind = kind;
        return a;
    }
};

// One attempt. Owned by the host between begin and end; step is never called twice at once.
class Session {
public:
    virtual ~Session() = default;
    virtual Action step(const Event& event) = 0;
};

// One configured provider. Constructed as P(std::string_view config_json); throws ConfigError. Immutable
// afterwards: begin runs on many threads. Return nullptr for a job it does not do; throw
// std::invalid_argument for a request it cannot read.
class Provider {
public:
    virtual ~Provider() = default;
    virtual std::unique_ptr<Session> begin(int32_t job, std::string_view request_json) const = 0;
};

namespace detail {

inline void put(stepper_text_out* out, std::string_view text) noexcept {
    if (!out || !out->ptr) return;
    out->len = text.size() < out->cap ? text.size() : out->cap;
    std::memcpy(out->ptr, text.data(), out->len);
}

inline constexpr std::string_view kOutOfMemory = "out of memory";

// What a stepper_session* points to: the session, and the storage the host's views borrow from.
struct Box {
    std::unique_ptr<Session> session;
    Action last;
    std::vector<stepper_kv> headers;
};

template <class P>
struct Bridge {
    static_assert(std::is_base_of_v<Provider, P>, "a plugin's class derives from stepper::sdk::Provider");

    static inline const stepper_host* host = nullptr;

    static stepper_status init(const stepper_host* h) noexcept {
        host = h;
        return STEPPER_OK;
    }

    static stepper_status create(stepper_str config, stepper_provider** out,
                                 stepper_text_out* error) noexcept {
        try {
            *out = reinterpret_cast<stepper_provider*>(static_cast<Provider*>(new P(view(config))));
            return STEPPER_OK;
        } catch (const std::exception& e) {
            put(error, e.what());
            return STEPPER_E_CONFIG;
        } catch (...) {
            put(error, "unknown exception");
            return STEPPER_E_INTERNAL;
        }
    }

    static void destroy(stepper_provider* p) noexcept { delete reinterpret_cast<Provider*>(p); }

    static stepper_status begin(stepper_provider* p, int32_t job, stepper_str request, stepper_session** out,
                                stepper_text_out* error) noexcept {
        try {
            auto box = std::make_unique<Box>();
            box->session = reinterpret_cast<const Provider*>(p)->begin(job, view(request));
            if (!box->session) {
                put(error, "this plugin does not do that job");
                return STEPPER_E_UNSUPPORTED;
            }
            *out = reinterpret_cast<stepper_session*>(box.release());
            return STEPPER_OK;
        } catch (const std::bad_alloc&) {
            put(error, kOutOfMemory);
            return STEPPER_E_OVERLOADED;
        } catch (const std::invalid_argument& e) {
            put(error, e.what());
            return STEPPER_E_INVALID_REQUEST;
        } catch (const std::exception& e) {
            put(error, e.what());
            return STEPPER_E_INTERNAL;
        } catch (...) {
            put(error, "unknown exception");
            return STEPPER_E_INTERNAL;
        }
    }

    static void step(stepper_session* s, const stepper_event* event, stepper_action* out) noexcept {
        Box& box = *reinterpret_cast<Box*>(s);
        const auto threw = [out](int32_t error_class, stepper_str message) {
            out->kind = STEPPER_FAIL;
            out->error.error_class = error_class;
            out->error.message = message;
        };
        try {
            box.last = box.session->step(Event{*event});
            fill(box, *out);
        } catch (const std::bad_alloc&) {
            threw(STEPPER_E_OVERLOADED, toC(kOutOfMemory));
        } catch (const std::exception& e) {
            threw(STEPPER_E_INTERNAL, keep(box, e.what()));
        } catch (...) {
            threw(STEPPER_E_INTERNAL, toC("unknown exception"));
        }
    }

    static void end(stepper_session* s) noexcept { delete reinterpret_cast<Box*>(s); }

private:
    static stepper_str keep(Box& box, const char* text) noexcept {
        try {
            box.last.failure.message = text;
            return toC(box.last.failure.message);
        } catch (...) {
            return toC(kOutOfMemory);
        }
    }

    static void fill(Box& box, stepper_action& out) {
        const Action& a = box.last;
        out.kind = a.kind;
        out.wait_ms = a.wait_ms;
        if (a.kind == STEPPER_SEND) {
            const Request& from = a.request;
            box.headers.clear();
            for (const auto& [name, value] : from.headers) box.headers.push_back({toC(name), toC(value)});
            stepper_http_request& to = out.request;
            to.method = toC(from.method);
            to.url = toC(from.url);
            to.body = toC(from.body);
            to.headers = box.headers.data();
            to.header_count = box.headers.size();
            to.body_mode = from.body_mode;
            to.auth_mode = from.auth_mode;
            to.auth_name = toC(from.auth_name);
            to.timeout_ms = from.timeout_ms;
            to.idle_timeout_ms = from.idle_timeout_ms;
            to.max_response_bytes = from.max_response_bytes;
        } else if (a.kind == STEPPER_FAIL) {
            out.error.error_class = a.failure.error_class;
            out.error.http_status = a.failure.http_status;
            out.error.retry_after_ms = a.failure.retry_after_ms;
            out.error.message = toC(a.failure.message);
            out.error.provider_code = toC(a.failure.provider_code);
        }
    }
};

}  // namespace detail
}  // namespace stepper::sdk

// Defines the plugin's one export. PROVIDER: a class derived from Provider; CAPS: STEPPER_CAP_* bits.
#define STEPPER_PLUGIN(PROVIDER, KIND, VERSION, SCHEMA, CAPS)                                 \
    extern "C" STEPPER_EXPORT const stepper_plugin* stepper_plugin_entry_v1(void) {           \
        using B = ::stepper::sdk::detail::Bridge<PROVIDER>;                                   \
        static constexpr std::string_view kind_ = KIND, version_ = VERSION, schema_ = SCHEMA; \
        static const stepper_plugin plugin = {sizeof(stepper_plugin),                         \
                                              STEPPER_ABI_VERSION,                            \
                                              STEPPER_ABI_MAJOR << 16,                        \
                                              0,                                              \
                                              {kind_.data(), kind_.size()},                   \
                                              {version_.data(), version_.size()},             \
                                              {schema_.data(), schema_.size()},               \
                                              (CAPS),                                         \
                                              &B::init,                                       \
                                              nullptr,                                        \
                                              &B::create,                                     \
                                              &B::destroy,                                    \
                                              &B::begin,                                      \
                                              &B::step,                                       \
                                              &B::end,                                        \
                                              nullptr};                                       \
        return &plugin;                                                                       \
    }
