#include "core/plugin/library/elf_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    (void)stepper::plugin::checkSharedObject({reinterpret_cast<const char*>(data), size},
                                             "stepper_plugin_entry_v1");
    return 0;
}
