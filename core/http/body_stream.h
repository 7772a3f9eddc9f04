// A response's body on its way to the client, in chunks or ended by the connection's close.
#pragma once
#include "core/http/http.h"
#include "core/http/wire.h"

namespace stepper::http {

// Borrows the wire and the token. Used by the connection's thread only.
class BodyStream final : public Stream {
public:
    BodyStream(const Wire& wire, milliseconds stall, CancelToken& cancel, bool chunked)
        : wire_(wire), stall_(stall), cancel_(cancel), chunked_(chunked) {}

    bool write(std::string_view bytes) override;
    CancelToken& cancel() override { return cancel_; }

    // Marks the end, unless a write failed or the request was cancelled; whether the body is whole.
    bool finish();
    // Bytes on the wire, with the framing.
    uint64_t sent() const { return sent_; }

private:
    bool send(std::string_view bytes);

    const Wire& wire_;
    const milliseconds stall_;
    CancelToken& cancel_;
    const bool chunked_;
    bool intact_ = true;
    uint64_t sent_ = 0;
};

}  // namespace stepper::http
