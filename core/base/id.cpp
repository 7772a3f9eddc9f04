#include "core/base/id.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

#include <openssl/sha.h>
#include <sys/random.h>

#include "core/base/result.h"

namespace stepper {
namespace {

std::string hex(std::span<const unsigned char> bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const unsigned char b : bytes) {
        out += kDigits[b >> 4];
        out += kDigits[b & 15];
    }
    return out;
}

}  // namespace

std::string newId() {
    // One system call for many ids. Not OpenSSL's generator: that keeps several KiB for each thread.
    thread_local std::array<unsigned char, 16 * 16> pool;
    thread_local size_t used = pool.size();
    if (used == pool.size()) {
        STEPPER_ASSERT(::getrandom(pool.data(), pool.size(), 0) == static_cast<ssize_t>(pool.size()));
        used = 0;
    }
    std::array<unsigned char, 16> b{};
    std::copy_n(pool.begin() + static_cast<std::ptrdiff_t>(used), b.size(), b.begin());
    used += b.size();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count();
    for (int i = 0; i < 6; ++i) b[static_cast<size_t>(i)] = static_cast<unsigned char>(ms >> (40 - 8 * i));
    b[6] = static_cast<unsigned char>((b[6] & 0x0F) | 0x70);
    b[8] = static_cast<unsigned char>((b[8] & 0x3F) | 0x80);
    std::string out = hex(b);
    for (const size_t at : {8, 13, 18, 23}) out.insert(at, 1, '-');
    return out;
}

std::string sha256Hex(std::string_view bytes) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
    return hex(digest);
}

}  // namespace stepper
