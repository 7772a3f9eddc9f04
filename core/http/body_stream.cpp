#include "core/http/body_stream.h"

#include <Poco/NumberFormatter.h>

namespace stepper::http {

bool BodyStream::write(std::string_view bytes) {
    // A chunk without bytes would be the last one.
    if (!chunked_ || bytes.empty()) return send(bytes);
    std::string chunk = Poco::NumberFormatter::formatHex(static_cast<Poco::UInt64>(bytes.size()));
    chunk.append("\r\n").append(bytes).append("\r\n");
    return send(chunk);
}

bool BodyStream::finish() { return send(chunked_ ? "0\r\n\r\n" : ""); }

bool BodyStream::send(std::string_view bytes) {
    intact_ = intact_ && cancel_.check() == CancelReason::None && wire_.send(bytes, stall_) == Io::Ok;
    if (intact_) sent_ += bytes.size();
    return intact_;
}

}  // namespace stepper::http
