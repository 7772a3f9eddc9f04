// gzip bodies, honest and not. One thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace stepper::sim {

std::string gzip(std::string_view text);

// A valid gzip stream of spaces, about a thousandth of its decoded size, made piece by piece in constant
// memory.
class GzipBomb {
public:
    explicit GzipBomb(uint64_t decoded_bytes);
    // The next piece of the stream, empty after the last.
    std::string next();

private:
    void append(std::string& out, size_t bytes);

    uint64_t left_, total_;
    std::string block_;  // one compressed block, repeated
    unsigned long block_crc_ = 0, crc_ = 0;
    bool begun_ = false, ended_ = false;
};

}  // namespace stepper::sim
