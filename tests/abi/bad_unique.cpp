// Built without any of the SDK's precautions: all builds of it in one process would share `count`.
#include "stepper/plugin_abi.h"

namespace {
stepper_plugin plugin{};
}

inline int& calls() {
    static int count = 0;
    return count;
}

const stepper_plugin* stepper_plugin_entry_v1(void) {
    ++calls();
    return &plugin;
}
