#include "core/secrets/redact.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    (void)stepper::secrets::redact({reinterpret_cast<const char*>(data), size});
    return 0;
}
