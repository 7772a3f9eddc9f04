// Under which key an answer is kept. Pure function, safe from any thread.
#pragma once
#include <string>
#include <string_view>

#include "core/base/json.h"

namespace stepper::cache {

// 64 hex digits: the SHA-256 of the canonical JSON of {"identity":...,"tenant":...,"v":1}. `identity` is all
// that makes one answer different from another. Its integers beyond 2^53 count as the nearest double (RFC
// 8785); an identity that has to tell them apart carries them as text.
std::string keyOf(std::string_view tenant, const json::Value& identity);

}  // namespace stepper::cache
