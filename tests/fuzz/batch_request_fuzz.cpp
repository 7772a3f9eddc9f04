// Batches of requests from strangers: read or refused, and what is stored of an item reads the same again.
#include <cstdint>

#include "core/api/batch_request.h"
#include "core/base/result.h"
#include "core/jobs/identity.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace stepper;
    const auto parsed = api::parseBatch({reinterpret_cast<const char*>(data), size}, 100, 5);
    if (!parsed) return 0;
    for (const auto& item : parsed->items) {
        const auto& request = item.parsed.request;
        const auto again = api::decodeStored(name(item.parsed.kind), item.body);
        STEPPER_ASSERT(again.ok());
        STEPPER_ASSERT(jobs::cacheKeyOf(*again, "", true) == jobs::cacheKeyOf(request, "", true));
    }
    return 0;
}
