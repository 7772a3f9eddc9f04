// IP addresses as numbers, and networks of them. Values; pure, safe from any thread.
#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace stepper {

// 4 or 16 bytes in network order. IPv4 within IPv6 is IPv4; a zone is left away.
class Address {
public:
    // In the forms of plainAddress(); none for a name.
    static std::optional<Address> parse(std::string_view text);

    size_t bits() const { return size_ * 8; }
    // Whether both begin with the same `bits` of them; never true of different families.
    bool sharesStart(const Address& other, size_t bits) const;

private:
    std::array<unsigned char, 16> bytes_{};
    size_t size_ = 0;
};

class Network {
public:
    // "10.0.0.0/8", "10.0.0.0/255.0.0.0", "fd00::/8", or one address. What lies beyond the prefix does not
    // count.
    static std::optional<Network> parse(std::string_view text);

    bool contains(const Address& address) const { return base_.sharesStart(address, bits_); }
    size_t bits() const { return bits_; }

private:
    Network(const Address& base, size_t bits) : base_(base), bits_(bits) {}

    Address base_;
    size_t bits_;
};

}  // namespace stepper
