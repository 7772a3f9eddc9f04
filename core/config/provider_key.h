// The key of a provider as people write it. Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace stepper::config {

struct ProviderKey {
    std::string key;  // as it is sent
    // What was put right, or cannot be right: "is in quotes; they were left away". Never holds the key.
    std::vector<std::string> remarks;
};

// Blanks, quotes and "Bearer " around a key are no part of any and are taken away. What else no provider
// would take (a placeholder, $NAME, characters that no header can hold) is left as it is and told.
ProviderKey readProviderKey(std::string_view written);

}  // namespace stepper::config
