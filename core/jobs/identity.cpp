#include "core/jobs/identity.h"

#include <map>

#include "core/base/canonical_json.h"
#include "core/base/id.h"
#include "core/cache/key.h"
#include "core/prompt/conversation.h"

namespace stepper::jobs {
namespace {

using engine::GenerateRequest;

json::Value words(const std::vector<std::string>& list, json::Allocator& a) {
    json::Value out(rapidjson::kArrayType);
    for (const auto& word : list) out.PushBack(json::text(word, a), a);
    return out;
}

void copyMember(json::Document& to, const json::Value& from, std::string_view key) {
    if (const auto* v = json::find(from, key); v && !v->IsNull())
        json::set(to, key, json::Value(*v, to.GetAllocator()), to.GetAllocator());
}

// Metadata often carries what differs with every request, so it counts only where a template can show it.
bool showsMetadata(const json::Value& body) {
    constexpr std::string_view kMetadata = "metadata";
    const auto* prompt = json::find(body, "prompt");
    const auto wording = prompt ? json::string(*prompt, "template") : std::nullopt;
    if (wording && wording->find(kMetadata) != std::string_view::npos) return true;
    const auto conversation = prompt::conversationIn(body);
    return conversation.hasPlaces() && prompt::holds(conversation, kMetadata);
}

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

std::string_view word(config::Plan plan) {
    switch (plan) {
        case config::Plan::Manual: break;
        case config::Plan::FastestFirst: return "fastest-first";
        case config::Plan::CheapestFirst: return "cheapest-first";
    }
    return "manual";
}

void tellLargeIntegersApart(json::Document& d) {
    json::Value large(rapidjson::kArrayType);
    collectLargeIntegers(d, large, d.GetAllocator());
    if (!large.Empty()) json::set(d, "largeIntegers", std::move(large), d.GetAllocator());
}

void addSampling(json::Document& d, const GenerateRequest& request) {
    auto& a = d.GetAllocator();
    if (request.temperature) json::set(d, "temperature", json::Value(*request.temperature), a);
    if (!request.model.empty()) json::set(d, "model", request.model, a);
}

json::Document identityOf(const GenerateRequest& request, const json::Value& body, bool redact) {
    json::Document d(rapidjson::kObjectType);
    auto& a = d.GetAllocator();
    json::set(d, "kind", "generate", a);
    json::set(d, "mode", request.mode == output::Mode::Text ? "text" : "json", a);
    if (!request.request_id.empty()) json::set(d, "requestId", request.request_id, a);
    for (const auto* key : {"prompt", "messages", "system", "payload", "outputSchema"})
        copyMember(d, body, key);
    if (showsMetadata(body)) copyMember(d, body, "metadata");
    json::set(d, "preferred", words(request.preferred, a), a);
    json::set(d, "excluded", words(request.excluded, a), a);
    if (request.plan) json::set(d, "plan", word(*request.plan), a);
    if (request.max_output_tokens)
        json::set(d, "maxOutputTokens", json::Value(*request.max_output_tokens), a);
    addSampling(d, request);
    json::set(d, "redact", json::Value(redact), a);
    tellLargeIntegersApart(d);
    return d;
}

}  // namespace

std::string reportKey(std::string_view tenant, std::string_view user_id, std::string_view commit_sha,
                      const std::optional<std::string>& house_wording) {
    json::Document d(rapidjson::kObjectType);
    auto& a = d.GetAllocator();
    json::set(d, "kind", "report", a);
    json::set(d, "userId", user_id, a);
    json::set(d, "commitSha", commit_sha, a);
    if (house_wording) json::set(d, "template", *house_wording, a);
    return cache::keyOf(tenant, d);
}

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

std::string cacheKeyOf(const GenerateRequest& request, std::string_view client_key, bool redact) {
    if (!client_key.empty()) {
        json::Document d(rapidjson::kObjectType);
        json::set(d, "cacheKey", client_key, d.GetAllocator());
        return cache::keyOf(request.tenant_id, d);
    }
    if (const auto* commit = std::get_if<report::Commit>(&request.subject)) {
        const auto key =
            reportKey(request.tenant_id, commit->user_id, commit->commit_sha, commit->house_wording);
        json::Document d(rapidjson::kObjectType);
        auto& a = d.GetAllocator();
        json::set(d, "report", key, a);
        if (!request.request_id.empty()) json::set(d, "requestId", request.request_id, a);
        if (!commit->instructions.empty()) json::set(d, "instructions", commit->instructions, a);
        addSampling(d, request);
        if (d.MemberCount() == 1) return key;
        return cache::keyOf(request.tenant_id, d);
    }
    const auto& generic = std::get<engine::GenericPrompt>(request.subject);
    return cache::keyOf(request.tenant_id, identityOf(request, *generic.body, redact));
}

}  // namespace stepper::jobs
