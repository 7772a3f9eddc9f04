// Which of the machines that a request came through are proxies of ours, so that what they say of the one
// before them is believed. In the forms of the setting "trust proxy" of Express. A value; pure, safe from any
// thread.
#pragma once
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/network.h"

namespace stepper {

class TrustedProxies {
public:
    static constexpr size_t kAll = std::numeric_limits<size_t>::max();
    static constexpr size_t kMostWords = 100, kMostHops = 100;

    // None.
    TrustedProxies() = default;

    // One word: true (all), false (none), or how many stand one behind the other. Or addresses, networks
    // (with at least one bit), loopback, linklocal, uniquelocal; not more than kMostWords. None when it is
    // anything else.
    static std::optional<TrustedProxies> parse(const std::vector<std::string>& words);

    // `hop` counts from 0, which is whoever is connected.
    bool trusts(const Address& address, size_t hop) const;

    // How many, whoever they are; 0 where it goes by addresses, which words() has as they were written.
    size_t hops() const { return hops_; }
    const std::vector<std::string>& words() const { return words_; }
    bool operator==(const TrustedProxies& o) const { return hops_ == o.hops_ && words_ == o.words_; }

private:
    bool addNetworks(const std::string& word);

    size_t hops_ = 0;
    std::vector<std::string> words_;
    std::vector<Network> networks_;
};

}  // namespace stepper
