// The process's limit of open files.
#pragma once
#include <cstdint>

#include "core/base/result.h"

namespace stepper::transport {

// Raises the soft limit of open files to the hard one and gives the limit now in force. Call it once at
// start: each call to a provider holds up to four descriptors. Config error when the limit cannot be read or
// set.
Result<uint64_t> raiseDescriptorLimit();

}  // namespace stepper::transport
