// Canonical JSON is JSON, and its own canonical form.
#include <cstdint>

#include "core/base/canonical_json.h"
#include "core/base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace stepper;
    json::ParseLimits limits;
    limits.reject_duplicate_keys = true;
    const auto value = json::parse({reinterpret_cast<const char*>(data), size}, limits);
    if (!value) return 0;
    const std::string once = canonicalJson(*value);
    const auto again = json::parse(once, limits);
    STEPPER_ASSERT(again.ok());
    STEPPER_ASSERT(canonicalJson(*again) == once);
    return 0;
}
