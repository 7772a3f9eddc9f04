#include "core/api/batch_request.h"

#include <set>

#include "core/base/text.h"

namespace stepper::api {
namespace {

constexpr double kMaxDurationSeconds = 86'400;
constexpr size_t kMaxNameLength = 256;  // of the tenant and of the request

const json::Value* member(const json::Value& body, std::string_view key) {
    const auto* v = json::find(body, key);
    return v && !v->IsNull() ? v : nullptr;
}

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

std::variant<ParsedItem, BadRequest> parseItem(const json::Value& item, size_t index,
                                               const ParsedBatch& batch) {
    const auto written = shortText(member(item, "id"), kMaxItemIdLength);
    std::string id(trim(written.value_or("")));
    const auto* request = member(item, "request");
    if (id.empty() || !request || !request->IsObject())
        return refuse(at(index, ": expected an object with a unique id and request object"));
    Body body = requestOf(item, id, batch);
    auto parsed = parseGenerate(body);
    if (auto* bad = std::get_if<BadRequest>(&parsed)) {
        bad->sentence = at(index, ".request: " + bad->sentence);
        return std::move(*bad);
    }
    if (!std::get<ParsedRequest>(parsed).start.isNow())
        return refuse(at(index, ".request: runAt and delaySeconds are for the whole batch"));
    return ParsedItem{std::move(id), std::get<ParsedRequest>(std::move(parsed)), json::dump(*body)};
}

void remarkOnItem(const json::Value& item, size_t index, Remarks& out) {
    for (const char* key : kOfTheRequest)
        if (member(item, key) && member(*member(item, "request"), key))
            out.add("items[" + std::to_string(index) + "]." + key, "its request has its own");
}

// "" is none, as no member is.
std::optional<std::string> readName(const json::Value& body, std::string_view key, std::string& out) {
    const auto* v = member(body, key);
    if (!v) return std::nullopt;
    auto text = shortText(v, kMaxNameLength);
    if (!text) return "Invalid " + std::string(key) + ": expected a string up to 256 characters";
    out = std::move(*text);
    return std::nullopt;
}

// What the batch says of itself; the first problem.
std::optional<std::string> readSettings(const json::Value& body, int max_concurrency, ParsedBatch& out) {
    if (auto problem = readName(body, "tenantId", out.tenant_id)) return problem;
    if (auto problem = readName(body, "requestId", out.request_id)) return problem;
    if (auto problem = readStart(body, out.start)) return problem;
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
    if (auto wrong = versionProblem(body)) return *std::move(wrong);
    const auto* items = member(body, "items");
    if (!items || !items->IsArray() || items->Empty()) return refuse("Batch items must be a non-empty array");
    if (items->Size() > static_cast<size_t>(max_items))
        return refuse("Batch cannot contain more than " + std::to_string(max_items) + " items");
    ParsedBatch out;
    if (const auto problem = readSettings(body, max_concurrency, out)) return refuse(*problem);
    remarkOnBatch(body, out.remarks);

    std::set<std::string> ids;
    for (rapidjson::SizeType i = 0; i < items->Size(); ++i) {
        auto item = parseItem((*items)[i], i, out);
        if (auto* bad = std::get_if<BadRequest>(&item)) return std::move(*bad);
        out.items.push_back(std::get<ParsedItem>(std::move(item)));
        remarkOnItem((*items)[i], i, out.remarks);
        if (!ids.insert(out.items.back().id).second)
            return refuse("Batch item IDs must be unique (duplicate: '" + out.items.back().id + "')");
    }
    return out;
}

}  // namespace stepper::api
