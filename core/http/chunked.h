// The chunked transfer coding (RFC 9112 7.1), read strictly; extensions are skipped, trailers discarded.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace stepper::http {

// Fed the bytes of one body as they arrive. Not thread-safe.
class ChunkDecoder {
public:
    enum class State { More, Done, Bad, TooLarge };

    // Takes what it can from the front of `in` and appends the payload to `out`, which never grows over
    // max_body.
    State feed(std::string_view& in, std::string& out, uint64_t max_body);

private:
    enum class Part { Size, Data, DataEnd, Trailer };
    State takeLine(std::string_view line);

    Part part_ = Part::Size;
    uint64_t left_ = 0;  // of the current chunk
    size_t trailer_bytes_ = 0;
};

}  // namespace stepper::http
