#include "core/api/usage_view.h"

#include <memory>
#include <stdexcept>
#include <utility>

#include "core/api/answer.h"
#include "core/api/generate_request.h"
#include "core/api/query.h"
#include "core/api/request_remarks.h"
#include "core/api/routes.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/engine/outcome_json.h"

namespace stepper::api {
namespace {

constexpr size_t kMaxTenantLength = 256;
constexpr size_t kMostAtOnce = 16u << 10;  // bytes; more is not kept until it is whole

void putCounts(json::Writer& w, const engine::UsageCounts& counts) {
    json::putInt(w, "requests", counts.requests);
    json::putInt(w, "failed", counts.failed);
    json::putInt(w, "promptTokens", counts.tokens_in);
    json::putInt(w, "completionTokens", counts.tokens_out);
    if (!counts.cost) return;
    w.Key("estimatedCost");
    w.Double(*counts.cost);
}

// Reads the days page by page.
class Report {
public:
    Report(engine::UsageKeeper& keeper, int days, std::optional<std::string> tenant,
           std::vector<std::string> warnings)
        : keeper_(keeper),
          day_(keeper.today()),
          last_(day_ - std::chrono::days(days - 1)),
          tenant_(std::move(tenant)),
          warnings_(std::move(warnings)) {
        begin(day_);
    }

    // One page more; false when that was the last.
    Result<bool> readOn() {
        const size_t most = tenant_ ? 1 : kPage;
        const auto page = keeper_.page(day_, from_, most);
        if (!page) return page.error();
        for (const auto& [name, usage] : *page)
            if (!tenant_ || name == *tenant_) writer_.tenant(name, usage);
        if (!tenant_ && page->size() == most) {
            from_ = std::prev(page->end())->first + '\0';
        } else if (day_ == last_) {
            writer_.end(warnings_);
            return false;
        } else {
            begin(day_ - std::chrono::days(1));
        }
        return true;
    }

    std::string take() { return writer_.take(); }
    std::string_view written() const { return writer_.written(); }
    void forget() { writer_.forget(); }
    size_t size() const { return writer_.size(); }

private:
    static constexpr size_t kPage = 50;  // tenants

    void begin(engine::Day day) {
        day_ = day;
        from_ = tenant_.value_or("");
        writer_.day(day);
    }

    engine::UsageKeeper& keeper_;
    engine::Day day_;
    const engine::Day last_;
    const std::optional<std::string> tenant_;
    const std::vector<std::string> warnings_;
    std::string from_;
    UsageWriter writer_;
};

// A part that cannot be read leaves the client an answer that is cut and does not look whole.
void sendRest(Report& report, http::Stream& stream) {
    for (bool more = true; stream.write(report.written()) && more;) {
        report.forget();
        const auto read = report.readOn();
        if (!read) throw std::runtime_error("the usage cannot be read on: " + read.error().message);
        more = *read;
    }
}

}  // namespace

UsageWriter::UsageWriter() {
    writer_.StartObject();
    writer_.Key("days");
    writer_.StartArray();
}

void UsageWriter::day(engine::Day day) {
    endDay();
    in_day_ = true;
    writer_.StartObject();
    json::put(writer_, "day", engine::isoDay(day));
    writer_.Key("tenants");
    writer_.StartArray();
}

void UsageWriter::tenant(std::string_view name, const engine::TenantUsage& usage) {
    writer_.StartObject();
    json::put(writer_, "tenant", name);
    writer_.Key("providers");
    writer_.StartArray();
    for (const auto& [provider, counts] : usage) {
        writer_.StartObject();
        json::put(writer_, "provider", provider);
        putCounts(writer_, counts);
        writer_.EndObject();
        total_.add(counts);
    }
    writer_.EndArray();
    writer_.EndObject();
}

void UsageWriter::end(const std::vector<std::string>& warnings) {
    endDay();
    writer_.EndArray();
    writer_.Key("total");
    writer_.StartObject();
    putCounts(writer_, total_);
    writer_.EndObject();
    engine::putWarnings(writer_, warnings);
    writer_.EndObject();
}

std::string UsageWriter::take() {
    std::string out(written());
    forget();
    return out;
}

void UsageWriter::endDay() {
    if (!std::exchange(in_day_, false)) return;
    writer_.EndArray();
    writer_.EndObject();
}

http::Response usage(const http::Request& request, engine::UsageKeeper& keeper) {
    const auto days = wholeNumber(request.queryValue("days").value_or("1"), 1, engine::UsageKeeper::kDays);
    if (!days) return badRequest("Invalid days: expected an integer from 1 to 31", request.id);
    const auto tenant = request.queryValue("tenant");
    if (tenant && utf8Length(*tenant) > kMaxTenantLength)
        return badRequest("Invalid tenant: at most 256 characters", request.id);
    Remarks remarks;
    remarkOnQuery(request, {"days", "tenant"}, remarks);
    const auto report = std::make_shared<Report>(keeper, static_cast<int>(*days),
                                                 tenant ? std::optional<std::string>(*tenant) : std::nullopt,
                                                 remarks.warnings());
    while (report->size() < kMostAtOnce) {
        const auto more = report->readOn();
        if (!more) return storeUnavailable(more.error(), request.id);
        if (!*more) return http::Response::json(200, report->take());
    }
    http::Response out;
    out.stream = [report](http::Stream& stream) { sendRest(*report, stream); };
    return out;
}

Routes usageRoutes(const ApiDeps& deps) {
    return {{"GET", "/v1/usage", "Requests, tokens and cost by tenant and provider; ?days=&tenant=",
             http::Body::None, http::Role::Client,
             [&keeper = deps.usage](const http::Request& request) { return usage(request, keeper); }}};
}

}  // namespace stepper::api
