#include "core/jobs/identity.h"

#include <map>

#include "core/base/canonical_json.h"
#include "core/base/id.h"
#include "core/cache/key.h"

namespace stepper::jobs {
namespace {

// Canonical JSON rounds integers beyond 2^53 to doubles, which would make two identifiers one. They are told
// apart here, in the order of their members' names.
void collectLargeIntegers(const json::Value& v, json::Value& out, json::Allocator& a) {
    constexpr int64_t kExact = int64_t{1} << 53;
    if (v.IsObject()) {
        std::map<std::string_view, const json::Value*> members;
        for (const auto& member : v.GetObject()) members.emplace(json::view(member.name), &member.value);
        for (const auto& [name, value] : members) collectLargeIntegers(*value, out, a);
    } else if (v.IsArray()) {
        for (const auto& element : v.GetArray()) collectLargeIntegers(element, out, a);
    } else if (v.IsUint64() && v.GetUint64() > static_cast<uint64_t>(kExact)) {
        out.PushBack(json::text(std::to_string(v.GetUint64()), a), a);
    } else if (v.IsInt64() && v.GetInt64() < -kExact) {
        out.PushBack(json::text(std::to_string(v.GetInt64()), a), a);
    }
}

void tellLargeIntegersApart(json::Document& d) {
    json::Value large(rapidjson::kArrayType);
    collectLargeIntegers(d, large, d.GetAllocator());
    if (!large.Empty()) json::set(d, "largeIntegers", std::move(large), d.GetAllocator());
}

json::Document namedBy(std::string_view client_key) {
    json::Document d(rapidjson::kObjectType);
    json::set(d, "cacheKey", client_key, d.GetAllocator());
    return d;
}

}  // namespace

std::string meaningOf(std::string_view kind, std::string_view body) {
    auto parsed = json::parse(body);
    if (!parsed || !parsed->IsObject()) return sha256Hex(std::string(kind) + std::string(body));
    // RemoveMember() puts the last one in its place: order means nothing here, and moving all would.
    for (auto member = parsed->MemberBegin(); member != parsed->MemberEnd();)
        member = member->value.IsNull() ? parsed->RemoveMember(member) : member + 1;
    json::Document d(rapidjson::kObjectType);
    json::set(d, "kind", kind, d.GetAllocator());
    json::set(d, "body", json::Value(*parsed, d.GetAllocator()), d.GetAllocator());
    tellLargeIntegersApart(d);
    return sha256Hex(canonicalJson(d));
}

std::string cacheKeyOf(const engine::GenerateRequest& request, std::string_view client_key, bool redact) {
    json::Document d = client_key.empty() ? request.question->identity(request, prompt::redactionIf(redact))
                                          : namedBy(client_key);
    tellLargeIntegersApart(d);
    return cache::keyOf(request.tenant_id, d);
}

}  // namespace stepper::jobs
