#include "core/plugin/isolation/remote_wire.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>

#include "core/plugin/abi/views.h"

namespace stepper::plugin::wire {
namespace {

// In place of a view's length.
constexpr uint32_t kAbsent = 0xFFFF'FFFF, kWrongLength = 0xFFFF'FFFE;
// Far above what the transport lets through.
constexpr size_t kMaxEventHeaders = 65'536;
constexpr uint8_t kEmit = 1, kAction = 0;

// Appends to a frame; the head's length is filled in by finish().
class Writer {
public:
    explicit Writer(std::string& frame) : frame_(frame) {}
    Writer(std::string& frame, Kind kind) : frame_(frame) {
        frame_.clear();
        put(uint32_t{0}, kind);
    }

    template <class... T>
    void put(const T&... values) {
        static_assert((std::is_trivially_copyable_v<T> && ...));
        (frame_.append(reinterpret_cast<const char*>(&values), sizeof values), ...);
    }

    void view(stepper_str s) {
        if (s.len == 0) return put(s.ptr ? uint32_t{0} : kAbsent);
        if (!s.ptr || s.len > kMaxPayload) return put(kWrongLength);
        if (!fits(s.len)) {
            too_large_ = true;
            return put(kAbsent);
        }
        put(static_cast<uint32_t>(s.len));
        frame_.append(s.ptr, s.len);
    }
    void view(std::string_view s) {
        if (s.size() > kMaxPayload) too_large_ = true;
        view(toAbi(s));
    }

    void headers(const stepper_kv* headers, size_t count, size_t max) {
        const bool sent = headers && count <= max;
        put(static_cast<uint64_t>(count), static_cast<uint8_t>(sent));
        if (!sent) return;
        for (size_t i = 0; i < count; ++i) {
            view(headers[i].key);
            view(headers[i].value);
        }
    }

    bool finish() {
        const size_t bytes = frame_.size() - kHeadBytes;
        if (too_large_ || bytes > kMaxPayload) return false;
        const auto length = static_cast<uint32_t>(bytes);
        std::memcpy(frame_.data(), &length, sizeof length);
        return true;
    }

private:
    bool fits(size_t more) const { return frame_.size() + more <= kHeadBytes + kMaxPayload; }

    std::string& frame_;
    bool too_large_ = false;
};

// Takes from the front; after one failure everything fails.
class Reader {
public:
    explicit Reader(std::string_view rest) : rest_(rest) {}

    template <class... T>
    bool take(T&... values) {
        return (takeOne(values) && ...);
    }

    bool view(stepper_str& out) {
        uint32_t length = 0;
        if (!take(length)) return false;
        if (length == kAbsent) return out = {nullptr, 0}, true;
        if (length == kWrongLength) return out = {nullptr, SIZE_MAX}, true;
        if (length > rest_.size()) return fail();
        out = {rest_.data(), length};
        rest_.remove_prefix(length);
        return true;
    }
    // One that cannot be wrong.
    bool text(std::string_view& out) {
        stepper_str s{};
        if (!view(s) || s.len == SIZE_MAX) return fail();
        out = {s.ptr, s.len};
        return true;
    }

    bool headers(std::vector<stepper_kv>& storage, const stepper_kv*& headers, size_t& count, size_t max) {
        uint64_t announced = 0;
        uint8_t sent = 0;
        if (!take(announced, sent)) return false;
        count = announced;
        headers = nullptr;
        if (sent == 0) return true;
        if (sent > 1 || announced > max) return fail();
        storage.resize(announced);
        for (auto& [key, value] : storage)
            if (!view(key) || !view(value)) return false;
        headers = storage.data();
        return true;
    }

    bool atEnd() const { return !failed_ && rest_.empty(); }

private:
    template <class T>
    bool takeOne(T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        if (failed_ || rest_.size() < sizeof value) return fail();
        std::memcpy(&value, rest_.data(), sizeof value);
        rest_.remove_prefix(sizeof value);
        return true;
    }
    bool fail() {
        failed_ = true;
        return false;
    }

    std::string_view rest_;
    bool failed_ = false;
};

void putRequest(Writer& w, const stepper_http_request& r) {
    w.put(r.body_mode, r.auth_mode, r.flags, r.timeout_ms, r.idle_timeout_ms, r.max_response_bytes);
    for (const auto s : {r.method, r.url, r.auth_name, r.body}) w.view(s);
    w.headers(r.headers, r.header_count, kMaxRequestHeaders);
}

bool takeRequest(Reader& in, std::vector<stepper_kv>& storage, stepper_http_request& r) {
    return in.take(r.body_mode, r.auth_mode, r.flags, r.timeout_ms, r.idle_timeout_ms,
                   r.max_response_bytes) &&
           in.view(r.method) && in.view(r.url) && in.view(r.auth_name) && in.view(r.body) &&
           in.headers(storage, r.headers, r.header_count, kMaxRequestHeaders);
}

void putError(Writer& w, const stepper_error& e) {
    w.put(e.error_class, e.http_status, e.flags, e.retry_after_ms);
    w.view(e.message);
    w.view(e.provider_code);
}

bool takeError(Reader& in, stepper_error& e) {
    return in.take(e.error_class, e.http_status, e.flags, e.retry_after_ms) && in.view(e.message) &&
           in.view(e.provider_code);
}

bool takeAction(Reader& in, std::vector<stepper_kv>& headers, stepper_action& action) {
    if (!in.take(action.kind, action.wait_ms, action.flags)) return false;
    if (action.kind == STEPPER_SEND && !takeRequest(in, headers, action.request)) return false;
    if (action.kind == STEPPER_FAIL && !takeError(in, action.error)) return false;
    return in.atEnd();
}

}  // namespace

std::optional<Head> decodeHead(std::string_view bytes) {
    Head head{};
    Reader in(bytes);
    if (!in.take(head.bytes, head.kind) || !in.atEnd()) return std::nullopt;
    if (head.bytes > kMaxPayload || head.kind < Kind::Create || head.kind > Kind::TooLarge)
        return std::nullopt;
    return head;
}

bool encode(const Create& message, std::string& frame) {
    Writer w(frame, Kind::Create);
    w.put(message.step_timeout_ms, message.memory_bytes);
    w.view(message.config);
    return w.finish();
}

bool decode(std::string_view payload, Create& message) {
    Reader in(payload);
    return in.take(message.step_timeout_ms, message.memory_bytes) && in.text(message.config) && in.atEnd();
}

bool encode(const Begin& message, std::string& frame) {
    Writer w(frame, Kind::Begin);
    w.put(message.session, message.job);
    w.view(message.request);
    return w.finish();
}

bool decode(std::string_view payload, Begin& message) {
    Reader in(payload);
    return in.take(message.session, message.job) && in.text(message.request) && in.atEnd();
}

bool encode(const Step& message, std::string& frame) {
    const stepper_event& e = message.event;
    if (e.data.len > kMaxPayload || e.name.len > kMaxPayload) return false;
    Writer w(frame, Kind::Step);
    w.put(message.session, e.kind, e.http_status, e.io_error, e.now_ms);
    w.view(e.data);
    w.view(e.name);
    w.headers(e.headers, std::min(e.header_count, kMaxEventHeaders), kMaxEventHeaders);
    return w.finish();
}

bool decode(std::string_view payload, Step& message, std::vector<stepper_kv>& headers) {
    stepper_event& e = message.event;
    e = {};
    e.struct_size = sizeof e;
    Reader in(payload);
    return in.take(message.session, e.kind, e.http_status, e.io_error, e.now_ms) && in.view(e.data) &&
           in.view(e.name) && in.headers(headers, e.headers, e.header_count, kMaxEventHeaders) && in.atEnd();
}

bool encode(const Status& message, std::string& frame) {
    Writer w(frame, Kind::Status);
    w.put(message.status);
    w.view(message.text);
    return w.finish();
}

bool decode(std::string_view payload, Status& message) {
    Reader in(payload);
    return in.take(message.status) && in.text(message.text) && in.atEnd();
}

bool encode(const Log& message, std::string& frame) {
    Writer w(frame, Kind::Log);
    w.put(message.level);
    w.view(message.text);
    return w.finish();
}

bool decode(std::string_view payload, Log& message) {
    Reader in(payload);
    return in.take(message.level) && in.text(message.text) && in.atEnd();
}

void encodeEnd(uint64_t session, std::string& frame) {
    Writer w(frame, Kind::End);
    w.put(session);
    w.finish();
}

bool decodeEnd(std::string_view payload, uint64_t& session) {
    Reader in(payload);
    return in.take(session) && in.atEnd();
}

void encodeBare(Kind kind, std::string& frame) { Writer(frame, kind).finish(); }

AnswerWriter::AnswerWriter(std::string& frame) : frame_(frame) { Writer(frame, Kind::Answer); }

void AnswerWriter::emit(int32_t out_kind, stepper_str payload) noexcept {
    if (too_large_) return;
    try {
        Writer w(frame_);
        w.put(kEmit, out_kind);
        w.view(payload);
        too_large_ = !w.finish();
    } catch (const std::bad_alloc&) {
        too_large_ = true;
    }
}

void AnswerWriter::finish(const stepper_action& action) {
    Writer w(frame_);
    if (!too_large_) {
        w.put(kAction, action.kind, action.wait_ms, action.flags);
        if (action.kind == STEPPER_SEND) putRequest(w, action.request);
        if (action.kind == STEPPER_FAIL) putError(w, action.error);
    }
    if (too_large_ || !w.finish()) encodeBare(Kind::TooLarge, frame_);
}

bool decodeAnswer(std::string_view payload, const stepper_event& event, std::vector<stepper_kv>& headers,
                  stepper_action& action) {
    Reader in(payload);
    uint8_t tag = kAction;
    for (;;) {
        if (!in.take(tag) || tag > kEmit) return false;
        if (tag == kAction) return takeAction(in, headers, action);
        int32_t kind = 0;
        stepper_str piece{};
        if (!in.take(kind) || !in.view(piece)) return false;
        event.emit(event.sink, kind, piece);
    }
}

}  // namespace stepper::plugin::wire
