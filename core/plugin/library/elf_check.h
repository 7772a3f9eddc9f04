// Reads a shared object's headers without mapping it as code, so that a broken file is refused before dlopen:
// the dynamic loader is killed by most truncated files, it does not report them.
#pragma once
#include <string_view>

#include "core/base/result.h"

namespace stepper::plugin {

// Checks that `bytes` is a complete 64-bit shared object for this machine that exports the function
// `entry_symbol` and nothing else, and that it can be loaded again and again beside other builds of itself:
// no static TLS, no symbol shared by the whole process, no executable stack, no relocations of its code.
// Config error with the reason and the remedy otherwise. Never reads outside `bytes`.
Result<void> checkSharedObject(std::string_view bytes, std::string_view entry_symbol);

}  // namespace stepper::plugin
