#include "tools/provider-sim/respond.h"

#include <Poco/Net/HTTPResponse.h>
#include <fmt/format.h>

#include "tools/provider-sim/gzip.h"

namespace stepper::sim {
namespace {

// What follows the last byte that is sent.
enum class After { NextRequest, End, Reset, Hang };

// A reply in the bytes of the wire.
struct Outgoing {
    std::string head = {};
    std::vector<std::string> parts = {};  // of the body, framed
    After after = After::NextRequest;
};

std::string chunked(std::string_view bytes) { return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes); }
constexpr std::string_view kLastChunk = "0\r\n\r\n";
constexpr std::string_view kChunkedHeader = "Transfer-Encoding: chunked\r\n";

std::string headOf(const Reply& reply, const Delivery& d, std::string_view framing) {
    const auto status = static_cast<Poco::Net::HTTPResponse::HTTPStatus>(reply.status);
    auto head =
        fmt::format("HTTP/1.1 {} {}\r\n", reply.status, Poco::Net::HTTPResponse::getReasonForStatus(status));
    if (!reply.content_type.empty()) head += fmt::format("Content-Type: {}\r\n", reply.content_type);
    head += framing;
    if (d.gzip || d.gzip_bomb)
        head += "Content-Encoding: gzip\r\n";
    else if (!d.encoding.empty())
        head += fmt::format("Content-Encoding: {}\r\n", d.encoding);
    for (const auto& [name, value] : reply.headers) head += fmt::format("{}: {}\r\n", name, value);
    if (d.close == Close::Announced) head += "Connection: close\r\n";
    return head += "\r\n";
}

std::string lengthHeader(size_t bytes, const Delivery& d) {
    if (d.length_text) return fmt::format("Content-Length: {}\r\n", *d.length_text);
    return fmt::format("Content-Length: {}\r\n", static_cast<int64_t>(bytes) + d.length_delta.value_or(0));
}

std::string withLineEnds(const std::string& text, LineEnd line_end) {
    if (line_end == LineEnd::Own) return text;
    const std::string_view end = line_end == LineEnd::Lf ? "\n" : line_end == LineEnd::CrLf ? "\r\n" : "\r";
    std::string out;
    for (const char c : text) {
        if (c == '\n')
            out += end;
        else if (c != '\r')
            out += c;
    }
    return out;
}

// The events as sent: up to the cut, in the wanted line ends, with the terminal marker if it is reached.
std::vector<std::string> eventsOf(const Reply& reply, const Delivery& d) {
    std::vector<std::string> events = reply.events;
    if (!reply.done.empty()) events.push_back(reply.done);
    if (d.cut_after && *d.cut_after < events.size()) events.resize(*d.cut_after);
    for (auto& event : events) event = withLineEnds(event, d.line_end);
    if (d.bom && !events.empty()) events.front().insert(0, "\xef\xbb\xbf");
    return events;
}

std::string joined(const std::vector<std::string>& parts) {
    std::string out;
    for (const auto& part : parts) out += part;
    return out;
}

Outgoing streamOf(const Reply& reply, const Delivery& d) {
    Outgoing out{.head = headOf(reply, d, kChunkedHeader)};
    auto events = eventsOf(reply, d);
    if (d.gzip) events = {gzip(joined(events))};
    for (const auto& event : events) out.parts.push_back(chunked(event));
    if (d.cut_after)
        out.after = After::End;
    else
        out.parts.emplace_back(kLastChunk);
    return out;
}

Outgoing bodyOf(const Reply& reply, const Delivery& d) {
    std::string body = d.bom ? "\xef\xbb\xbf" + reply.body : reply.body;
    if (d.gzip) body = gzip(body);
    Outgoing out{.head = headOf(reply, d, lengthHeader(body.size(), d))};
    if (d.length_text || d.length_delta) out.after = After::End;
    out.parts.push_back(std::move(body));
    return out;
}

// Keeps the first `fraction` of the body.
void cut(std::vector<std::string>& parts, double fraction) {
    auto left = static_cast<size_t>(static_cast<double>(joined(parts).size()) * fraction);
    for (auto& part : parts) {
        if (part.size() > left) part.resize(left);
        left -= part.size();
    }
}

Outgoing outgoing(const Reply& reply, const Delivery& d) {
    Outgoing out = reply.isStream() ? streamOf(reply, d) : bodyOf(reply, d);
    if (d.close != Close::No) out.after = After::End;
    const bool interrupted = d.hang == Hang::Body || d.reset == Reset::MidBody;
    if (interrupted || d.truncate) {
        cut(out.parts, d.truncate.value_or(0.5));
        out.after = d.hang == Hang::Body        ? After::Hang
                    : d.reset == Reset::MidBody ? After::Reset
                                                : After::End;
    }
    return out;
}

using Settle = std::function<void()>;

// Sends the pieces with a pause after each, and settles before the last.
bool sendPaced(Wire& wire, const std::vector<std::string_view>& pieces, milliseconds pause,
               const Settle& settle) {
    for (size_t i = 0; i < pieces.size(); ++i) {
        const bool last = i + 1 == pieces.size();
        if (last) settle();
        if (!wire.send(pieces[i]) || (!last && !wire.wait(pause))) return false;
    }
    return true;
}

std::vector<std::string_view> slices(std::string_view bytes, size_t width) {
    std::vector<std::string_view> out;
    for (; !bytes.empty(); bytes.remove_prefix(out.back().size())) out.push_back(bytes.substr(0, width));
    return out;
}

bool write(Wire& wire, Outgoing& out, const Delivery& d, const Settle& settle) {
    const auto settle_at_end = out.after == After::Hang ? Settle([] {}) : settle;
    if (d.drip) {
        const auto body = joined(out.parts);
        return wire.send(out.head) &&
               sendPaced(wire, slices(body, d.drip->bytes), d.drip->every, settle_at_end);
    }
    if (d.chunk_delay.count() > 0)
        return wire.send(out.head) &&
               sendPaced(wire, {out.parts.begin(), out.parts.end()}, d.chunk_delay, settle_at_end);
    settle_at_end();
    return wire.send(out.head += joined(out.parts));
}

Delivered endlessHeaders(Wire& wire, const Reply& reply, const Delivery& d) {
    std::string head = headOf(reply, d, "");
    head.resize(head.size() - 2);
    if (!wire.send(head)) return {};
    for (uint64_t n = 0; wire.send(fmt::format("X-Filler-{}: {:x>1000}\r\n", n, "")); ++n) {
    }
    return {};
}

// Bodies too large to hold: produced as they go out.
Delivered bomb(Wire& wire, const Reply& reply, const Delivery& d, const Settle& settle) {
    Delivered out{reply.status, false};
    if (!wire.send(headOf(reply, d, kChunkedHeader))) return out;
    GzipBomb bytes(d.gzip_bomb);
    for (auto piece = bytes.next(); !piece.empty(); piece = bytes.next())
        if (!wire.send(chunked(piece))) return out;
    settle();
    out.reusable = wire.send(kLastChunk);
    return out;
}

Delivered huge(Wire& wire, const Reply& reply, const Delivery& d, const Settle& settle) {
    Delivered out{reply.status, false};
    if (!wire.send(headOf(reply, d, fmt::format("Content-Length: {}\r\n", d.huge)))) return out;
    const std::string filler(64 << 10, 'x');
    uint64_t left = d.huge;
    for (; left > filler.size(); left -= filler.size())
        if (!wire.send(filler)) return out;
    settle();
    out.reusable = wire.send(std::string_view(filler).substr(0, left));
    return out;
}

Delivered endlessBody(Wire& wire, const Reply& reply, const Delivery& d) {
    if (!wire.send(headOf(reply, d, kChunkedHeader))) return {reply.status, false};
    const auto block = chunked(std::string(64 << 10, 'x'));
    while (wire.send(block)) {
    }
    return {reply.status, false};
}

}  // namespace

Delivered respond(Wire& wire, const Reply& reply, const Delivery& d, const std::function<void()>& settle) {
    if (!wire.wait(d.delay)) return {};
    if (d.hang == Hang::Connect || d.hang == Hang::Head) {
        wire.hang();
        return {};
    }
    if (d.reset == Reset::BeforeHead) {
        wire.resetOnClose();
        return {};
    }
    if (d.endless == Endless::Head) return endlessHeaders(wire, reply, d);
    if (d.endless == Endless::Body) return endlessBody(wire, reply, d);
    if (d.gzip_bomb) return bomb(wire, reply, d, settle);
    if (d.huge) return huge(wire, reply, d, settle);

    Outgoing out = outgoing(reply, d);
    if (d.reset == Reset::MidHead) {
        wire.send(std::string_view(out.head).substr(0, out.head.size() / 2));
        wire.resetOnClose();
        return {};
    }
    if (!write(wire, out, d, settle)) return {reply.status, false};
    if (out.after == After::Reset) wire.resetOnClose();
    if (out.after == After::Hang) wire.hang();
    return {reply.status, out.after == After::NextRequest};
}

}  // namespace stepper::sim
