#include "core/api/members.h"

#include <algorithm>
#include <span>

#include "core/base/place.h"
#include "core/base/text.h"
#include "core/prompt/conversation.h"
#include "core/report/commit_report.h"

namespace stepper::api {
namespace {

struct Member;
using Shape = std::span<const Member>;

struct Member {
    enum class Holds { Anything, Object, Objects, ObjectsByName };

    std::string_view name;
    Holds holds = Holds::Anything;
    Shape (*inside)() = nullptr;    // of the object, or of each of the objects
    std::string_view ignored = {};  // why it does not count although it is known
    bool jobs_only = false;
};
using Holds = Member::Holds;

constexpr std::string_view kNoCallbacks =
    "callbacks are not called yet; ask for the job, or follow its events";
constexpr std::string_view kPlaceholder = "{{";
constexpr std::string_view kJobsOnly = "it counts for queued requests only";

Shape schemaNode() {
    static constexpr Member kMembers[] = {
        {"type"},
        {"requiredKeys"},
        {"properties", Holds::ObjectsByName, schemaNode},
        {"items", Holds::Object, schemaNode},
        {"minItems"},
        {"maxItems"},
        {"allowAdditionalKeys"},
    };
    return kMembers;
}

Shape httpJsonSchema() {
    static constexpr Member kMembers[] = {
        {"kind"},
        {"type"},
        {"requiredKeys"},
        {"properties", Holds::ObjectsByName, schemaNode},
        {"allowAdditionalKeys"},
    };
    return kMembers;
}

Shape jsonSchema() {
    static constexpr Member kMembers[] = {{"kind"}, {"schema"}};
    return kMembers;
}

Shape prompt() {
    static constexpr Member kMembers[] = {
        {"preset"}, {"template"}, {"instructions"}, {"variables"}, {"payload"},
    };
    return kMembers;
}

Shape message() {
    static constexpr Member kMembers[] = {{"role"}, {"content"}};
    return kMembers;
}

Shape generate() {
    static constexpr Member kMembers[] = {
        {"tenantId"},
        {"requestId"},
        {.name = "cacheKey", .jobs_only = true},
        {"prompt", Holds::Object, prompt},
        {"system"},
        {"messages", Holds::Objects, message},
        {"payload"},
        {"responseMode"},
        {"contractVersion"},
        {"cacheControl"},
        {"preferredProviders"},
        {"excludeProviders"},
        {"outputSchema"},
        {.name = "callbacks", .ignored = kNoCallbacks},
        {"metadata"},
        {"plan"},
        {"model"},
        {"temperature"},
        {"maxOutputTokens"},
        {"maxDurationSeconds"},
        {.name = "priority", .jobs_only = true},
        {.name = "runAt", .jobs_only = true},
        {.name = "delaySeconds", .jobs_only = true},
        {"strict"},
    };
    return kMembers;
}

constexpr size_t kCommitMembers = 10;

Shape report() {
    static constexpr Member kMembers[] = {
        // The commit's own members come first.
        {"userId"},
        {"commitSha"},
        {"repo"},
        {"message"},
        {"files"},
        {"components"},
        {"diffSummary"},
        {"template"},
        {.name = "callbackUrl", .ignored = kNoCallbacks},
        {.name = "callbacks", .ignored = kNoCallbacks},
        {"cacheControl"},
        {"preferredProviders"},
        {"excludeProviders"},
        {"plan"},
        {"maxOutputTokens"},
        {"maxDurationSeconds"},
        {.name = "priority", .jobs_only = true},
        {.name = "runAt", .jobs_only = true},
        {.name = "delaySeconds", .jobs_only = true},
        {"strict"},
    };
    return kMembers;
}

// Inside a generate request, which has the other members itself.
Shape commit() { return report().first(kCommitMembers); }

Shape batchItem() {
    static constexpr Member kMembers[] = {
        {"id"}, {"request"}, {"callbacks"}, {"priority"}, {"maxDurationSeconds"},
    };
    return kMembers;
}

Shape batch() {
    static constexpr Member kMembers[] = {
        {"tenantId"},
        {"requestId"},
        {"contractVersion"},
        {"items", Holds::Objects, batchItem},
        {"concurrency"},
        {"priority"},
        {"runAt"},
        {"delaySeconds"},
        {"maxDurationSeconds"},
        {.name = "callbacks", .ignored = kNoCallbacks},
        {.name = "metadata", .ignored = "it goes with callbacks; give it to the items"},
        {"strict"},
    };
    return kMembers;
}

bool saysSomething(const json::Value& v) {
    return !v.IsNull() && !(v.IsArray() && v.Empty()) && !(v.IsString() && v.GetStringLength() == 0);
}

class Walk {
public:
    Walk(Use use, Remarks& out) : use_(use), out_(out) {}

    void object(const json::Value& v, Shape shape, const Place& at) {
        if (!v.IsObject()) return;
        for (const auto& m : v.GetObject()) {
            const auto name = json::view(m.name);
            const Place place(at, name);
            const auto known =
                std::find_if(shape.begin(), shape.end(), [&](const Member& k) { return k.name == name; });
            if (known != shape.end())
                member(m.value, *known, place);
            else if (!out_.leavesOut())
                out_.unknown(place.dotted(), name, "unknown member", namesOf(shape));
        }
    }

private:
    void member(const json::Value& v, const Member& known, const Place& place) {
        if (!known.ignored.empty() && saysSomething(v)) out_.add(place.dotted(), std::string(known.ignored));
        if (known.jobs_only && use_ == Use::Immediate && saysSomething(v))
            out_.add(place.dotted(), std::string(kJobsOnly));
        switch (known.holds) {
            case Holds::Anything: return;
            case Holds::Object: return object(v, known.inside(), place);
            case Holds::Objects:
                if (!v.IsArray()) return;
                for (rapidjson::SizeType i = 0; i < v.Size(); ++i)
                    object(v[i], known.inside(), Place(place, i));
                return;
            case Holds::ObjectsByName:
                if (!v.IsObject()) return;
                for (const auto& m : v.GetObject())
                    object(m.value, known.inside(), Place(place, json::view(m.name)));
                return;
        }
    }

    static std::vector<std::string> namesOf(Shape shape) {
        std::vector<std::string> out;
        for (const auto& known : shape) out.emplace_back(known.name);
        return out;
    }

    const Use use_;
    Remarks& out_;
};

// The preset words its prompt and knows its answer itself.
void remarkOnPreset(const json::Value& body, const json::Value& prompt, Remarks& out) {
    constexpr const char* kWhy = "the commit-report preset has its own";
    for (const auto* name : {"template", "variables"})
        if (const auto* v = json::find(prompt, name); v && saysSomething(*v))
            out.add(std::string("prompt.") + name, kWhy);
    if (const auto* v = json::find(body, "outputSchema"); v && saysSomething(*v))
        out.add("outputSchema", kWhy);
    if (json::string(body, "responseMode") == "text") out.add("responseMode", kWhy);
    if (const auto* v = json::find(body, "system"); v && saysSomething(*v)) out.add("system", kWhy);
}

void remarkOnSchema(const json::Value& schema, Walk& walk, Remarks& out) {
    if (json::string(schema, "kind") != "http-json")
        return walk.object(schema, jsonSchema(), Place("outputSchema"));
    walk.object(schema, httpJsonSchema(), Place("outputSchema"));
    if (const auto type = json::string(schema, "type"); type && *type != "object")
        out.add("outputSchema.type", "an http-json schema is always that of an object");
}

void remarkOnVariables(const json::Value& body, const json::Value& prompt, Remarks& out) {
    if (prompt::holds(prompt::conversationIn(body), kPlaceholder)) return;
    const auto* variables = json::find(prompt, "variables");
    if (variables && saysSomething(*variables) && trim(json::string(prompt, "template").value_or("")).empty())
        out.add("prompt.variables", "only a template has places for them");
}

void remarkOnMessages(const json::Value& body, Remarks& out) {
    const auto conversation = prompt::conversationIn(body);
    if (conversation.messages && conversation.hasPlaces() && !prompt::holds(conversation, kPlaceholder))
        out.add("payload",
                "neither a message nor the system text has a place for it, such as {{ payload.name }}");
}

// Who asks at once gets what is made anew anyway, and nothing is kept of it.
void remarkOnCache(const json::Value& body, Use use, Remarks& out) {
    if (use == Use::Immediate && json::string(body, "cacheControl") == "refresh")
        out.add("cacheControl", std::string(kJobsOnly));
}

}  // namespace

void remarkOnGenerate(const json::Value& body, Use use, Remarks& out) {
    Walk walk(use, out);
    walk.object(body, generate(), Place(""));
    remarkOnCache(body, use, out);
    if (const auto* schema = json::find(body, "outputSchema"); schema && schema->IsObject())
        remarkOnSchema(*schema, walk, out);
    remarkOnMessages(body, out);
    const auto* prompt = json::find(body, "prompt");
    const auto* payload = json::find(body, "payload");
    if (!prompt) return;
    const auto* own = json::find(*prompt, "payload");
    const bool has_own = own && !own->IsNull();
    if (payload && !payload->IsNull() && prompt->IsString())
        out.add("payload", "a prompt that is a string takes none; write {\"template\": ...}");
    if (payload && !payload->IsNull() && has_own) out.add("payload", "prompt.payload is there in its place");
    const auto preset = json::string(*prompt, "preset");
    if (preset && *preset != report::kPreset)
        out.add("prompt.preset",
                "the only preset is 'commit-report'; the rest of the prompt is taken as it is");
    if (preset != report::kPreset) return remarkOnVariables(body, *prompt, out);
    remarkOnPreset(body, *prompt, out);
    if (has_own)
        walk.object(*own, commit(), Place("prompt.payload"));
    else if (payload)
        walk.object(*payload, commit(), Place("payload"));
}

void remarkOnReport(const json::Value& body, Use use, Remarks& out) {
    Walk(use, out).object(body, report(), Place(""));
    remarkOnCache(body, use, out);
}

void remarkOnBatch(const json::Value& body, Remarks& out) {
    Walk(Use::Job, out).object(body, batch(), Place(""));
}

}  // namespace stepper::api
