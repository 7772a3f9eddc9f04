#include "core/http/body_stream.h"

#include <algorithm>
#include <array>

#include <Poco/NumberFormatter.h>

#include "core/base/result.h"

namespace stepper::http {
namespace {

size_t sizeOf(std::span<const std::string_view> pieces) {
    size_t size = 0;
    for (const auto piece : pieces) size += piece.size();
    return size;
}

}  // namespace

bool BodyStream::write(std::span<const std::string_view> pieces) {
    STEPPER_ASSERT(pieces.size() <= kMostPieces);
    const size_t size = sizeOf(pieces);
    // A chunk without bytes would be the last one.
    if (!chunked_ || size == 0) return send(pieces);
    const std::string opening = Poco::NumberFormatter::formatHex(static_cast<Poco::UInt64>(size)) + "\r\n";
    std::array<std::string_view, kMostPieces + 2> chunk;
    chunk[0] = opening;
    std::copy(pieces.begin(), pieces.end(), chunk.begin() + 1);
    chunk[pieces.size() + 1] = "\r\n";
    return send({chunk.data(), pieces.size() + 2});
}

bool BodyStream::finish() {
    const std::string_view end = chunked_ ? "0\r\n\r\n" : "";
    return send({&end, 1});
}

bool BodyStream::send(std::span<const std::string_view> pieces) {
    intact_ = intact_ && cancel_.check() == CancelReason::None && sendInTime(pieces);
    if (intact_) sent_ += sizeOf(pieces);
    return intact_;
}

// What the client was slower than it may be in earlier writes, it may not be again.
bool BodyStream::sendInTime(std::span<const std::string_view> pieces) {
    if (live_) return wire_.send(pieces, pace_) == Io::Ok;
    const milliseconds earned{1'000 * sent_ / std::max<uint64_t>(pace_.min_rate, 1)};
    const auto left = std::chrono::floor<milliseconds>(pace_.stall + earned - waited_);
    const auto begun = std::chrono::steady_clock::now();
    const Io io = wire_.send(pieces, {std::clamp(left, milliseconds{0}, pace_.stall), pace_.min_rate});
    waited_ += std::chrono::steady_clock::now() - begun;
    return io == Io::Ok;
}

}  // namespace stepper::http
