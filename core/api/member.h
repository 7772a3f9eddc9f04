// Members of what clients send. Pure.
#pragma once
#include "core/base/json.h"

namespace stepper::api {

// Absent and null are the same to the clients of this contract.
inline const json::Value* member(const json::Value& body, std::string_view key) {
    const auto* v = json::find(body, key);
    return v && !v->IsNull() ? v : nullptr;
}

}  // namespace stepper::api
