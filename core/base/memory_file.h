// A file without a name, in memory.
#pragma once
#include "core/base/descriptor.h"

namespace stepper {

enum class MemoryUse { Data, Code };

// Readable and writable, may be sealed. Code may be mapped to run where the system lets memory do so at all;
// Data never. None with errno.
Descriptor memoryFile(const char* name, MemoryUse use);

}  // namespace stepper
