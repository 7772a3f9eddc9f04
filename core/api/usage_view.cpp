#include "core/api/usage_view.h"

#include "core/api/answer.h"
#include "core/api/generate_request.h"
#include "core/api/query.h"
#include "core/api/request_remarks.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/engine/outcome_json.h"

namespace stepper::api {
namespace {

constexpr size_t kMaxTenantLength = 256;

void putCounts(json::Writer& w, const engine::UsageCounts& counts) {
    json::putInt(w, "requests", counts.requests);
    json::putInt(w, "failed", counts.failed);
    json::putInt(w, "promptTokens", counts.tokens_in);
    json::putInt(w, "completionTokens", counts.tokens_out);
    if (!counts.cost) return;
    w.Key("estimatedCost");
    w.Double(*counts.cost);
}

void putTenant(json::Writer& w, std::string_view name, const engine::TenantUsage& usage,
               engine::UsageCounts& total) {
    w.StartObject();
    json::put(w, "tenant", name);
    w.Key("providers");
    w.StartArray();
    for (const auto& [provider, counts] : usage) {
        w.StartObject();
        json::put(w, "provider", provider);
        putCounts(w, counts);
        w.EndObject();
        total.add(counts);
    }
    w.EndArray();
    w.EndObject();
}

}  // namespace

std::string usageJson(const std::vector<engine::UsageKeeper::ReportedDay>& days,
                      const std::vector<std::string>& warnings) {
    rapidjson::StringBuffer buffer;
    json::Writer w(buffer);
    engine::UsageCounts total;
    w.StartObject();
    w.Key("days");
    w.StartArray();
    for (const auto& [day, tenants] : days) {
        w.StartObject();
        json::put(w, "day", engine::isoDay(day));
        w.Key("tenants");
        w.StartArray();
        for (const auto& [name, usage] : tenants) putTenant(w, name, usage, total);
        w.EndArray();
        w.EndObject();
    }
    w.EndArray();
    w.Key("total");
    w.StartObject();
    putCounts(w, total);
    w.EndObject();
    engine::putWarnings(w, warnings);
    w.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

http::Response usage(const http::Request& request, engine::UsageKeeper& keeper) {
    const auto days = wholeNumber(request.queryValue("days").value_or("1"), 1, engine::UsageKeeper::kDays);
    if (!days)
        return http::Response::json(400, refuse("Invalid days: expected an integer from 1 to 31").body);
    const auto tenant = request.queryValue("tenant");
    if (tenant && utf8Length(*tenant) > kMaxTenantLength)
        return http::Response::json(400, refuse("Invalid tenant: at most 256 characters").body);
    const auto report = keeper.report(static_cast<int>(*days), tenant);
    if (!report) return storeUnavailable(report.error(), request.id);
    Remarks remarks;
    remarkOnQuery(request, {"days", "tenant"}, remarks);
    return http::Response::json(200, usageJson(*report, remarks.warnings()));
}

}  // namespace stepper::api
