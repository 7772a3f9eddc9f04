#include "core/http/request_reader.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace stepper::http {
namespace {

constexpr size_t kReadSize = 16u << 10;
constexpr uint64_t kMaxSkip = 64u << 10;
// A client that counts the promised time itself still gets its request in.
constexpr milliseconds kGrace{1'000};

SteadyTime in(milliseconds d) { return std::chrono::steady_clock::now() + d; }

Reject tooLarge(uint64_t max_body) {
    return {413, "The request's body is larger than " + std::to_string(max_body) + " bytes"};
}

Reject noRoom() { return {503, "Too much is being received from other clients; try again in a moment"}; }

Reject cutShort(Io io) {
    if (io == Io::Stopped)
        return {503, "The server is stopping, and the request had not arrived; send it again"};
    if (io == Io::Timeout) return {408, "The request's body did not arrive in time"};
    return {400, "The request's body ended early"};
}

}  // namespace

bool RequestReader::awaitRequest() {
    if (!buffer_.empty()) return true;
    const milliseconds first = options_.keep_alive.count() > 0 ? options_.keep_alive : options_.head_timeout;
    const auto stay = idle_.enter(wire_.fd());
    return wire_.awaitRequest(in(first + std::min(first, kGrace))) == Io::Ok;
}

std::optional<std::variant<Reject, Head>> RequestReader::readHead() {
    const auto until = in(options_.head_timeout);
    HeadScanner scanner(options_.max_head);
    for (;;) {
        auto scan = scanner.look(buffer_);
        if (auto* reject = std::get_if<Reject>(&scan)) return std::move(*reject);
        if (auto* head = std::get_if<Head>(&scan)) {
            buffer_.erase(0, head->size);
            body_pending_ = head->hasBody();
            expect_continue_ = head->expect_continue;
            chunked_ = head->chunked;
            content_length_ = head->content_length;
            return std::move(*head);
        }
        const Io io = wire_.receive(buffer_, kReadSize, until);
        if (io == Io::Timeout) return Reject{408, "The request's head did not arrive in time"};
        if (io == Io::Stopped && !buffer_.empty()) return cutShort(io);
        if (io != Io::Ok) return std::nullopt;
    }
}

std::optional<Reject> RequestReader::readBody(std::string& out, uint64_t max_body, ByteBudget::Share& held) {
    if (!body_pending_) return std::nullopt;
    if (content_length_ > max_body) return tooLarge(max_body);
    if (expect_continue_ && buffer_.empty()) {
        const Io io = wire_.send("HTTP/1.1 100 Continue\r\n\r\n", paceOf(options_));
        if (io != Io::Ok) return cutShort(io);
    }
    expect_continue_ = false;
    const auto until = in(options_.body_timeout);
    auto reject = chunked_ ? readChunked(out, max_body, until, held) : readSized(out, until, held);
    body_pending_ = reject.has_value();
    return reject;
}

std::optional<Reject> RequestReader::readSized(std::string& out, SteadyTime until, ByteBudget::Share& held) {
    const auto buffered = static_cast<size_t>(std::min<uint64_t>(content_length_, buffer_.size()));
    out.assign(buffer_, 0, buffered);
    buffer_.erase(0, buffered);
    for (size_t counted = 0;;) {
        if (!held.grow(out.size() - std::exchange(counted, out.size()))) return noRoom();
        if (out.size() >= content_length_) return std::nullopt;
        if (const Io io = wire_.receive(out, content_length_ - out.size(), until); io != Io::Ok)
            return cutShort(io);
    }
}

std::optional<Reject> RequestReader::readChunked(std::string& out, uint64_t max_body, SteadyTime until,
                                                 ByteBudget::Share& held) {
    ChunkDecoder decoder;
    for (size_t counted = 0;;) {
        std::string_view rest = buffer_;
        const auto state = decoder.feed(rest, out, max_body);
        buffer_.erase(0, buffer_.size() - rest.size());
        if (!held.grow(out.size() - std::exchange(counted, out.size()))) return noRoom();
        switch (state) {
            case ChunkDecoder::State::Done: return std::nullopt;
            case ChunkDecoder::State::Bad: return Reject{400, "The request's chunked body is malformed"};
            case ChunkDecoder::State::TooLarge: return tooLarge(max_body);
            case ChunkDecoder::State::More: break;
        }
        if (const Io io = wire_.receive(buffer_, kReadSize, until); io != Io::Ok) return cutShort(io);
    }
}

// A client that waits for "100 Continue" may send the body after our answer or not: nothing safe can follow.
bool RequestReader::canSkipBody() const {
    return !body_pending_ || (!chunked_ && !expect_continue_ && content_length_ <= kMaxSkip);
}

bool RequestReader::skipBody() {
    if (!canSkipBody()) return false;
    if (!std::exchange(body_pending_, false)) return true;
    uint64_t left = content_length_;
    const auto buffered = static_cast<size_t>(std::min<uint64_t>(left, buffer_.size()));
    buffer_.erase(0, buffered);
    left -= buffered;
    std::array<char, kReadSize> scrap;
    for (const auto until = in(options_.body_timeout); left > 0;) {
        const auto some = std::span(scrap).first(static_cast<size_t>(std::min<uint64_t>(left, scrap.size())));
        size_t size = 0;
        if (wire_.receive(some, size, until) != Io::Ok) return false;
        left -= size;
    }
    return true;
}

}  // namespace stepper::http
