// Why a provider cannot be used at a moment.
#pragma once
#include <string_view>

namespace stepper::limits {

enum class Denial {
    RateLimited,
    CircuitOpen,
    Busy,
    Disabled,
    TooLarge,  // not now and never: the request is the matter
};
// As it appears in providersAttempted: rate_limited, circuit_open, busy, disabled, too_large.
std::string_view name(Denial d);

// What only somebody's hand can mend. The provider, or that key of it, is set aside, and tried again after
// growing pauses.
enum class SetAside { KeyRefused, ModelMissing };

}  // namespace stepper::limits
