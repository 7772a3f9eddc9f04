#include "core/api/batch_request.h"

#include <set>

#include "core/base/text.h"

namespace stepper::api {
namespace {

constexpr double kMaxDurationSeconds = 86'400;
constexpr size_t kMaxTenantLength = 256;

const json::Value* member(const json::Value& body, std::string_view key) {
    const auto* v = json::find(body, key);
    return v && !v->IsNull() ? v : nullptr;
}

std::string at(size_t index, std::string_view what) {
    return "Invalid items[" + std::to_string(index) + "]" + std::string(what);
}

std::optional<std::string> shortText(const json::Value* v, size_t max_length) {
    if (!v || !v->IsString() || trim(json::view(*v)).empty() || utf8Length(json::view(*v)) > max_length)
        return std::nullopt;
    return std::string(json::view(*v));
}

Body requestOf(const json::Value& request, const std::string& tenant) {
    auto out = std::make_shared<json::Document>();
    out->CopyFrom(request, out->GetAllocator());
    if (out->IsObject() && !tenant.empty() && !member(*out, "tenantId")) {
        out->RemoveMember("tenantId");
        json::set(*out, "tenantId", tenant, out->GetAllocator());
    }
    return out;
}

std::variant<ParsedItem, BadRequest> parseItem(const json::Value& item, size_t index,
                                               const std::string& tenant) {
    auto id = shortText(member(item, "id"), kMaxItemIdLength);
    if (!id) return refuse(at(index, ".id: expected a non-empty string of at most 128 characters"));
    const auto* request = member(item, "request");
    if (!request || !request->IsObject()) return refuse(at(index, ".request: expected a generate request"));
    Body body = requestOf(*request, tenant);
    auto parsed = parseGenerate(body);
    if (const auto* bad = std::get_if<BadRequest>(&parsed))
        return refuse(at(index, ".request: " + bad->sentence));
    return ParsedItem{std::move(*id), std::get<ParsedRequest>(std::move(parsed)), json::dump(*body)};
}

// What the batch says of itself; the first problem.
std::optional<std::string> readSettings(const json::Value& body, int max_concurrency, ParsedBatch& out) {
    if (const auto* tenant = member(body, "tenantId")) {
        auto text = shortText(tenant, kMaxTenantLength);
        if (!text) return "Invalid tenantId: expected a non-empty string of at most 256 characters";
        out.tenant_id = std::move(*text);
    }
    if (const auto* id = member(body, "requestId"); id && !shortText(id, kMaxTenantLength))
        return "Invalid requestId: expected a non-empty string of at most 256 characters";
    if (const auto* strict = member(body, "strict")) {
        if (!strict->IsBool()) return "Invalid strict: expected true or false";
        out.strict = strict->GetBool();
    }
    out.concurrency = max_concurrency;
    if (const auto* n = member(body, "concurrency")) {
        if (!n->IsInt() || n->GetInt() < 1 || n->GetInt() > max_concurrency)
            return "Invalid concurrency: expected an integer from 1 to " + std::to_string(max_concurrency);
        out.concurrency = n->GetInt();
    }
    if (const auto* p = member(body, "priority")) {
        if (!p->IsInt() || p->GetInt() < 0 || p->GetInt() > 9)
            return "Invalid priority: expected an integer from 0 (first) to 9 (last)";
        out.priority = p->GetInt();
    }
    if (const auto* s = member(body, "maxDurationSeconds")) {
        if (!s->IsNumber() || s->GetDouble() <= 0 || s->GetDouble() > kMaxDurationSeconds)
            return "Invalid maxDurationSeconds: expected a positive number of at most 86400";
        out.max_duration = std::chrono::ceil<milliseconds>(std::chrono::duration<double>(s->GetDouble()));
    }
    return std::nullopt;
}

}  // namespace

std::variant<ParsedBatch, BadRequest> parseBatch(std::string_view text, int max_items, int max_concurrency) {
    auto whole = parseBody(text);
    if (auto* bad = std::get_if<BadRequest>(&whole)) return std::move(*bad);
    const json::Value& body = *std::get<Body>(whole);
    const auto* items = member(body, "items");
    if (!items || !items->IsArray() || items->Empty()) return refuse("Batch items must be a non-empty array");
    if (items->Size() > static_cast<size_t>(max_items))
        return refuse("Batch must have at most " + std::to_string(max_items) + " items");
    ParsedBatch out;
    if (const auto problem = readSettings(body, max_concurrency, out)) return refuse(*problem);
    remarkOnBatch(body, out.remarks);

    std::set<std::string> ids;
    for (rapidjson::SizeType i = 0; i < items->Size(); ++i) {
        auto item = parseItem((*items)[i], i, out.tenant_id);
        if (auto* bad = std::get_if<BadRequest>(&item)) return std::move(*bad);
        out.items.push_back(std::get<ParsedItem>(std::move(item)));
        if (!ids.insert(out.items.back().id).second)
            return refuse("Batch item IDs must be unique (duplicate: '" + out.items.back().id + "')");
    }
    return out;
}

}  // namespace stepper::api
