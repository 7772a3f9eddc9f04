#include "tools/provider-sim/gzip.h"

#include <algorithm>

#include <zlib.h>

#include "core/base/result.h"

namespace stepper::sim {
namespace {

constexpr size_t kBlock = 1 << 20;
constexpr int kRaw = -15, kGzip = 15 + 16;

std::string deflated(std::string_view text, int window_bits, int flush) {
    z_stream z{};
    STEPPER_ASSERT(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) ==
                   Z_OK);
    std::string out(deflateBound(&z, text.size()) + 64, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    deflate(&z, flush);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
}

unsigned long crcOf(const std::string& text) {
    return crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
}

void appendLittleEndian(std::string& out, uint64_t value) {
    for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xff);
}

}  // namespace

std::string gzip(std::string_view text) { return deflated(text, kGzip, Z_FINISH); }

GzipBomb::GzipBomb(uint64_t decoded_bytes) : left_(decoded_bytes), total_(decoded_bytes) {
    // A fully flushed block refers to nothing before it, so the same bytes may follow each other.
    const std::string spaces(kBlock, ' ');
    block_ = deflated(spaces, kRaw, Z_FULL_FLUSH);
    block_crc_ = crcOf(spaces);
}

void GzipBomb::append(std::string& out, size_t bytes) {
    if (bytes == kBlock) {
        out += block_;
        crc_ = crc32_combine(crc_, block_crc_, static_cast<z_off_t>(bytes));
    } else {
        const std::string spaces(bytes, ' ');
        out += deflated(spaces, kRaw, Z_FULL_FLUSH);
        crc_ = crc32_combine(crc_, crcOf(spaces), static_cast<z_off_t>(bytes));
    }
    left_ -= bytes;
}

std::string GzipBomb::next() {
    constexpr size_t kPiece = 64 << 10;
    std::string out;
    if (ended_) return out;
    if (!begun_) out.assign("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
    begun_ = true;
    while (left_ > 0 && out.size() < kPiece)
        append(out, static_cast<size_t>(std::min<uint64_t>(left_, kBlock)));
    if (left_ > 0) return out;
    out.append("\x03\0", 2);  // the empty final block
    appendLittleEndian(out, crc_);
    appendLittleEndian(out, total_);
    ended_ = true;
    return out;
}

}  // namespace stepper::sim
