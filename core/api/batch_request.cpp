#include "core/api/batch_request.h"

#include <set>

#include "core/api/member.h"
#include "core/api/refusal.h"
#include "core/base/text.h"

namespace stepper::api {
namespace {

constexpr double kMaxDurationSeconds = 86'400;
constexpr size_t kMaxNameLength = 256;  // of the tenant and of the request

std::string at(size_t index, std::string_view what) {
    return "Invalid items[" + std::to_string(index) + "]" + std::string(what);
}

// A text of at most so many characters; none where it is no such text.
std::optional<std::string> shortText(const json::Value* v, size_t max_length) {
    if (!v || !v->IsString() || utf8Length(json::view(*v)) > max_length) return std::nullopt;
    return std::string(json::view(*v));
}

bool saysSomething(const json::Value* v) { return v && !(v->IsString() && v->GetStringLength() == 0); }

// Gives the request what it does not say itself.
void inherit(json::Document& request, std::string_view key, json::Value value) {
    if (saysSomething(member(request, key))) return;
    request.RemoveMember(json::text(key, request.GetAllocator()));
    json::set(request, key, std::move(value), request.GetAllocator());
}

// What an item may say for its request.
constexpr const char* kOfTheRequest[] = {"callbacks", "priority", "maxDurationSeconds"};

// The item's request with what the item and its batch say in its place.
Body requestOf(const json::Value& item, const std::string& id, const ParsedBatch& batch) {
    auto out = std::make_shared<json::Document>();
    auto& a = out->GetAllocator();
    out->CopyFrom(*member(item, "request"), a);
    if (!batch.tenant_id.empty()) inherit(*out, "tenantId", json::text(batch.tenant_id, a));
    if (!batch.request_id.empty()) inherit(*out, "requestId", json::text(batch.request_id + ":" + id, a));
    for (const char* key : kOfTheRequest)
        if (const auto* own = member(item, key)) inherit(*out, key, json::Value(*own, a));
    return out;
}

Result<ParsedItem> parseItem(const json::Value& item, size_t index, const ParsedBatch& batch) {
    const auto written = shortText(member(item, "id"), kMaxItemIdLength);
    std::string id(trim(written.value_or("")));
    const auto* request = member(item, "request");
    if (id.empty() || !request || !request->IsObject())
        return refusal(at(index, ": expected an object with a unique id and request object"));
    Body body = requestOf(item, id, batch);
    auto parsed = parseRequest(RequestKind::Generate, body);
    if (!parsed) return Error{parsed.error().error_class, at(index, ".request: " + parsed.error().message)};
    if (!parsed->start.isNow())
        return refusal(at(index, ".request: runAt and delaySeconds are for the whole batch"));
    return ParsedItem{std::move(id), std::move(parsed).value(), json::dump(*body)};
}

void remarkOnItem(const json::Value& item, size_t index, Remarks& out) {
    for (const char* key : kOfTheRequest)
        if (member(item, key) && member(*member(item, "request"), key))
            out.add("items[" + std::to_string(index) + "]." + key, "its request has its own");
}

// "" is none, as no member is.
Result<std::string> nameIn(const json::Value& body, std::string_view key) {
    const auto* v = member(body, key);
    if (!v) return std::string();
    if (auto text = shortText(v, kMaxNameLength)) return *std::move(text);
    return refusal("Invalid " + std::string(key) + ": expected a string up to 256 characters");
}

Result<bool> strictIn(const json::Value& body) {
    const auto* v = member(body, "strict");
    if (v && !v->IsBool()) return refusal("Invalid strict: expected true or false");
    return v && v->GetBool();
}

Result<int> concurrencyIn(const json::Value& body, int most) {
    const auto* n = member(body, "concurrency");
    if (!n) return most;
    if (n->IsInt() && n->GetInt() >= 1 && n->GetInt() <= most) return n->GetInt();
    return refusal("Invalid concurrency: expected an integer from 1 to " + std::to_string(most));
}

Result<int> priorityIn(const json::Value& body) {
    const auto* p = member(body, "priority");
    if (!p) return store::kNormalPriority;
    if (p->IsInt() && p->GetInt() >= 0 && p->GetInt() <= 9) return p->GetInt();
    return refusal("Invalid priority: expected an integer from 0 (first) to 9 (last)");
}

Result<std::optional<milliseconds>> durationIn(const json::Value& body) {
    const auto* s = member(body, "maxDurationSeconds");
    if (!s) return std::optional<milliseconds>();
    if (s->IsNumber() && s->GetDouble() > 0 && s->GetDouble() <= kMaxDurationSeconds)
        return std::optional(std::chrono::ceil<milliseconds>(std::chrono::duration<double>(s->GetDouble())));
    return refusal("Invalid maxDurationSeconds: expected a positive number of at most 86400");
}

// What the batch says of itself.
Result<ParsedBatch> readSettings(const json::Value& body, int max_concurrency) {
    FirstProblem first;
    ParsedBatch out;
    out.tenant_id = first.of(nameIn(body, "tenantId"));
    out.request_id = first.of(nameIn(body, "requestId"));
    out.start = first.of(readStart(body));
    out.strict = first.of(strictIn(body));
    out.concurrency = first.of(concurrencyIn(body, max_concurrency));
    out.priority = first.of(priorityIn(body));
    out.max_duration = first.of(durationIn(body));
    if (first.get()) return *first.get();
    return out;
}

Result<void> checkItems(const json::Value* items, int most) {
    if (!items || !items->IsArray() || items->Empty())
        return refusal("Batch items must be a non-empty array");
    if (items->Size() > static_cast<size_t>(most))
        return refusal("Batch cannot contain more than " + std::to_string(most) + " items");
    return {};
}

}  // namespace

Result<ParsedBatch> parseBatch(std::string_view text, int max_items, int max_concurrency) {
    const auto whole = parseBody(text);
    if (!whole) return whole.error();
    const json::Value& body = **whole;
    if (auto version = checkVersion(body); !version) return std::move(version).error();
    const auto* items = member(body, "items");
    if (auto sound = checkItems(items, max_items); !sound) return std::move(sound).error();
    auto out = readSettings(body, max_concurrency);
    if (!out) return out;
    remarkOnBatch(body, out->remarks);

    std::set<std::string> ids;
    for (rapidjson::SizeType i = 0; i < items->Size(); ++i) {
        auto item = parseItem((*items)[i], i, *out);
        if (!item) return std::move(item).error();
        if (!ids.insert(item->id).second)
            return refusal("Batch item IDs must be unique (duplicate: '" + item->id + "')");
        out->items.push_back(std::move(item).value());
        remarkOnItem((*items)[i], i, out->remarks);
    }
    return out;
}

}  // namespace stepper::api
