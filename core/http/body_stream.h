// A response's body on its way to the client, in chunks or ended by the connection's close.
#pragma once
#include "core/http/http.h"
#include "core/http/wire.h"

namespace stepper::http {

// Borrows the wire and the token. Used by the connection's thread only.
class BodyStream final : public Stream {
public:
    BodyStream(const Wire& wire, const Pace& pace, CancelToken& cancel, bool chunked, bool live)
        : wire_(wire), pace_(pace), cancel_(cancel), chunked_(chunked), live_(live) {}

    using Stream::write;
    bool write(std::span<const std::string_view> pieces) override;
    CancelToken& cancel() override { return cancel_; }

    // Marks the end, unless a write failed or the request was cancelled; whether the body is whole.
    bool finish();
    // Bytes on the wire, with the framing.
    uint64_t sent() const { return sent_; }

private:
    bool send(std::span<const std::string_view> pieces);
    bool sendInTime(std::span<const std::string_view> pieces);

    const Wire& wire_;
    const Pace pace_;
    CancelToken& cancel_;
    const bool chunked_, live_;
    SteadyTime::duration waited_{0};  // for the client, in all writes
    bool intact_ = true;
    uint64_t sent_ = 0;
};

}  // namespace stepper::http
