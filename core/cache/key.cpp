#include "core/cache/key.h"

#include "core/base/canonical_json.h"
#include "core/base/id.h"

namespace stepper::cache {

std::string keyOf(std::string_view tenant, const json::Value& identity) {
    json::Allocator a;
    // Written by hand, in canonical order, because a document would need a copy of the identity.
    return sha256Hex("{\"identity\":" + canonicalJson(identity) +
                     ",\"tenant\":" + canonicalJson(json::text(tenant, a)) + ",\"v\":1}");
}

}  // namespace stepper::cache
