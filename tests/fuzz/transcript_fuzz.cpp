#include "core/plugin/proving/transcript.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    (void)stepper::plugin::parseTranscript({reinterpret_cast<const char*>(data), size}, "fuzz");
    return 0;
}
