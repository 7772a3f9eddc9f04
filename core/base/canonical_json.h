// One text for every JSON value, RFC 8785 (JCS), for keys and digests: members in the order of their UTF-16
// code units, numbers as ECMAScript writes them, no white space. Pure functions, safe from any thread.
#pragma once
#include <string>

#include "core/base/json.h"

namespace stepper {

// Every number counts as the double nearest to it, so integers beyond 2^53 may share their text with a
// neighbour. The value is valid UTF-8 with finite numbers, as json::parse leaves it; a name that is there
// twice is written twice, in the order given.
std::string canonicalJson(const json::Value& v);

// ECMA-262 Number::toString of a finite number: "0" for -0, "0.000001", "1e-7", "100000000000000000000",
// "1e+21".
std::string es6Number(double d);

}  // namespace stepper
