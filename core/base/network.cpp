#include "core/base/network.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <string>

#include <arpa/inet.h>

#include "core/base/endpoint.h"

namespace stepper {
namespace {

constexpr size_t kV4Bits = 32, kV4WithinV6 = 96;

std::optional<size_t> wholeNumber(std::string_view digits) {
    size_t out = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, out);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return out;
}

// "255.0.0.0" → 8; none when ones follow a zero.
std::optional<size_t> bitsOfMask(std::string_view mask) {
    in_addr address;
    if (::inet_pton(AF_INET, std::string(mask).c_str(), &address) != 1) return std::nullopt;
    const uint32_t bits = ntohl(address.s_addr);
    const auto ones = static_cast<size_t>(std::countl_one(bits));
    if (static_cast<size_t>(std::popcount(bits)) != ones) return std::nullopt;
    return ones;
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
    const auto plain = plainAddress(text);
    if (!plain) return std::nullopt;
    const std::string address = plain->substr(0, plain->find('%'));
    Address out;
    const bool v4 = ::inet_pton(AF_INET, address.c_str(), out.bytes_.data()) == 1;
    if (!v4) ::inet_pton(AF_INET6, address.c_str(), out.bytes_.data());
    out.size_ = v4 ? 4 : 16;
    return out;
}

bool Address::sharesStart(const Address& other, size_t bits) const {
    if (size_ != other.size_ || bits > this->bits()) return false;
    const size_t whole = bits / 8, rest = bits % 8;
    if (!std::equal(bytes_.begin(), bytes_.begin() + whole, other.bytes_.begin())) return false;
    return rest == 0 || (bytes_[whole] ^ other.bytes_[whole]) >> (8 - rest) == 0;
}

std::optional<Network> Network::parse(std::string_view text) {
    const size_t slash = text.find('/');
    const std::string_view written = text.substr(0, slash);
    const auto base = Address::parse(written);
    if (!base) return std::nullopt;
    if (slash == std::string_view::npos) return Network(*base, base->bits());
    const std::string_view end = text.substr(slash + 1);
    const bool v4 = base->bits() == kV4Bits, within_v6 = v4 && written.find(':') != std::string_view::npos;
    auto bits = wholeNumber(end);
    if (!bits && v4 && !within_v6) bits = bitsOfMask(end);
    if (!bits || (within_v6 && *bits < kV4WithinV6)) return std::nullopt;
    if (within_v6) *bits -= kV4WithinV6;
    if (*bits > base->bits()) return std::nullopt;
    return Network(*base, *bits);
}

}  // namespace stepper
