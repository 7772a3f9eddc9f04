// Cuts a response body into the frames a BodyMode promises. Pure: bytes in, frames out, no I/O and no clock;
// how the bytes were split between feeds never changes the frames (except in Raw, which passes chunks on).
//
//     framer.feed(bytes);  while (frame = framer.next()) ...;   at the end of the body: framer.finish();
//     drain again
//
// Whole  exactly one frame, at finish(), empty when the body is.
// Raw    what was fed since the last call; nothing for an empty body.
// Lines  lines ended by LF or CRLF and the unterminated last one; empty lines are skipped.
// Sse    events. A body that is no stream at all (its first byte after white space is '{', '[' or '<') comes
// as one
//        unnamed frame at finish(). A field called "error" counts as an event named "error" with that data.
//        An event that the end of the body leaves open counts when its data is JSON or begins with "[DONE]".
//
// Used by one thread at a time.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/transport/transport.h"

namespace stepper::transport {

struct Frame {
    std::string_view data;
    std::string_view name;  // of an SSE event; often empty
};

using MaybeFrame = std::optional<Frame>;

class Framer {
public:
    static constexpr size_t kMaxFrameBytes = 8u << 20;

    explicit Framer(BodyMode mode, size_t max_frame_bytes = kMaxFrameBytes)
        : mode_(mode), max_frame_bytes_(max_frame_bytes) {}

    void feed(std::string_view bytes);
    // The body is complete; feed no more.
    void finish() { finished_ = true; }

    // The next frame, or none until more is fed; its views are valid until the next call of feed() or next().
    // BadResponse when a frame exceeds the limit or the body ends inside an SSE event; call nothing after
    // that.
    Result<MaybeFrame> next();

private:
    enum class SseBody { Unknown, Events, Document };

    Result<MaybeFrame> nextWhole();
    Result<MaybeFrame> nextRaw();
    Result<MaybeFrame> nextLine();
    Result<MaybeFrame> nextEvent();

    void recogniseSse();
    std::optional<std::string_view> takeSseLine();
    void addSseField(std::string_view line);
    Result<MaybeFrame> lastEvent();

    std::string_view rest() const { return std::string_view(buffer_).substr(begin_); }

    BodyMode mode_;
    size_t max_frame_bytes_;
    bool finished_ = false;
    bool given_ = false;  // Whole: the one frame was handed out

    std::string buffer_;
    size_t begin_ = 0;    // what lies before was handed out
    size_t scanned_ = 0;  // what is looked for is not before this place: nothing is searched at every feed

    SseBody sse_body_ = SseBody::Unknown;
    bool after_cr_ = false;  // an LF that follows belongs to the line end already seen
    bool has_data_ = false;
    bool dispatched_ = false;  // data_ and event_ belong to the frame handed out last
    std::string data_;
    std::string event_;
};

}  // namespace stepper::transport
