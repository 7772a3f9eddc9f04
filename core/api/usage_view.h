// GET /v1/usage: who used what of which provider.
#pragma once
#include "core/engine/usage_keeper.h"
#include "core/http/http.h"

namespace stepper::api {

// ?days=1..31 (1 unless given, today first) &tenant=NAME (all unless given).
http::Response usage(const http::Request& request, engine::UsageKeeper& keeper);

// {"days":[{"day","tenants":[{"tenant","providers":[{"provider","requests","failed","promptTokens",
// "completionTokens","estimatedCost"?}]}]}],"total":{"requests",...},"warnings"?}
std::string usageJson(const std::vector<engine::UsageKeeper::ReportedDay>& days,
                      const std::vector<std::string>& warnings = {});

}  // namespace stepper::api
