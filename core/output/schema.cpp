#include "core/output/schema.h"

#include <algorithm>

#include "core/base/place.h"
#include "core/base/text.h"

namespace stepper::output {
namespace {

using json::find;
using json::Value;

constexpr size_t kMaxLevels = 8;  // of `properties` and `items` below those of the schema itself
constexpr std::string_view kTypes[] = {"string", "number", "boolean", "array", "object"};

Error invalid(const Place& place, const std::string& what) {
    return {ErrorClass::InvalidRequest, "Invalid " + place.dotted() + ": " + what};
}

bool isTypeOfValues(const Value& type) {
    const auto word = type.IsString() ? json::view(type) : "";
    return type.IsArray() || word == "null" || word == "integer" ||
           std::find(std::begin(kTypes), std::end(kTypes), word) != std::end(kTypes);
}

// From the http-json notation to JSON Schema, where every rule of the notation has a keyword of its own.
class Translation {
public:
    Result<json::Document> run(const Value& v) {
        Value out(rapidjson::kObjectType);
        put(out, "type", "object");
        if (auto ok = objectRules(v, kRoot, 0, out); !ok) return ok.error();
        if (auto ok = noArrayRules(v, kRoot); !ok) return ok.error();
        static_cast<Value&>(document_) = out;
        return std::move(document_);
    }

    static inline const Place kRoot{"outputSchema"};

private:
    Result<Value> node(const Value& v, const Place& place, size_t level) {
        if (level > kMaxLevels + 1)
            return invalid(place, "schema nesting is limited to " + std::to_string(kMaxLevels) + " levels");
        if (!v.IsObject() || !find(v, "type")) return invalid(place, "expected an object with a type");
        const auto type = json::string(v, "type");
        if (!type || std::find(std::begin(kTypes), std::end(kTypes), *type) == std::end(kTypes))
            return invalid(Place(place, "type"), "expected one of string, number, boolean, array, object");
        Value out(rapidjson::kObjectType);
        put(out, "type", *type);
        if (auto ok = objectRules(v, place, level, out); !ok) return ok.error();
        if (auto ok = *type == "array" ? arrayRules(v, place, level, out) : noArrayRules(v, place); !ok)
            return ok.error();
        return out;
    }

    Result<void> objectRules(const Value& v, const Place& place, size_t level, Value& out) {
        const Value* properties = find(v, "properties");
        if (properties) {
            const Place inside(place, "properties");
            if (!properties->IsObject()) return invalid(inside, "expected object map");
            Value translated(rapidjson::kObjectType);
            for (const auto& m : properties->GetObject()) {
                if (isBlank(json::view(m.name)))
                    return Error{ErrorClass::InvalidRequest,
                                 "Invalid " + inside.dotted() + " key: keys must be non-empty"};
                auto child = node(m.value, Place(inside, json::view(m.name)), level + 1);
                if (!child) return child.error();
                json::set(translated, json::view(m.name), std::move(child).value(), allocator());
            }
            put(out, "properties", std::move(translated));
        }
        if (const Value* keys = find(v, "requiredKeys")) {
            const auto named = [](const Value& key) { return key.IsString() && !isBlank(json::view(key)); };
            if (!keys->IsArray() || !std::all_of(keys->Begin(), keys->End(), named))
                return invalid(Place(place, "requiredKeys"), "expected array of non-empty strings");
            put(out, "required", copy(*keys));
        }
        if (const Value* allowed = find(v, "allowAdditionalKeys")) {
            if (!allowed->IsBool()) return invalid(Place(place, "allowAdditionalKeys"), "expected boolean");
            if (properties && !allowed->GetBool()) put(out, "additionalProperties", Value(false));
        }
        return {};
    }

    Result<void> arrayRules(const Value& v, const Place& place, size_t level, Value& out) {
        if (const Value* items = find(v, "items")) {
            auto child = node(*items, Place(place, "items"), level + 1);
            if (!child) return child.error();
            put(out, "items", std::move(child).value());
        }
        for (const char* name : {"minItems", "maxItems"})
            if (const Value* count = find(v, name)) {
                if (!count->IsUint64()) return invalid(Place(place, name), "expected a non-negative integer");
                put(out, name, copy(*count));
            }
        const Value *least = find(v, "minItems"), *most = find(v, "maxItems");
        if (least && most && least->GetUint64() > most->GetUint64())
            return invalid(Place(place, "minItems"), "must not exceed maxItems");
        return {};
    }

    static Result<void> noArrayRules(const Value& v, const Place& place) {
        for (const char* name : {"items", "minItems", "maxItems"})
            if (find(v, name)) return invalid(place, "items and item limits are only valid for arrays");
        return {};
    }

    json::Allocator& allocator() { return document_.GetAllocator(); }
    Value copy(const Value& v) { return Value(v, allocator()); }
    void put(Value& out, std::string_view key, Value v) { json::set(out, key, std::move(v), allocator()); }
    void put(Value& out, std::string_view key, std::string_view text) {
        json::set(out, key, text, allocator());
    }

    json::Document document_;
};

// The schema inside what providers' APIs want around one: a member that holds it, beside others that belong
// to the wrapping and are no keywords.
const Value& unwrapped(const Value& given) {
    constexpr std::string_view kHolders[] = {"json_schema",  "jsonSchema",  "function",  "schema",
                                             "input_schema", "inputSchema", "parameters"};
    constexpr std::string_view kBeside[] = {"name", "strict", "description", "title", "type"};
    const auto among = [](const auto& names, std::string_view name) {
        return std::find(std::begin(names), std::end(names), name) != std::end(names);
    };
    const Value* at = &given;
    for (int level = 0; level < 2 && at->IsObject(); ++level) {
        const Value* held = nullptr;
        for (const auto& m : at->GetObject()) {
            if (!held && m.value.IsObject() && among(kHolders, json::view(m.name)))
                held = &m.value;
            else if (!among(kBeside, json::view(m.name)) || (m.name == "type" && isTypeOfValues(m.value)))
                return *at;
        }
        if (!held) break;
        at = held;
    }
    return *at;
}

// An example or a list of properties given as the schema would let any answer pass.
Result<void> constrains(const Value& schema) {
    if (!schema.IsObject()) return {};
    using Keyword = JsonSchema::Keyword;
    const Value::Member* stray = nullptr;
    for (const auto& m : schema.GetObject()) {
        const Keyword keyword = JsonSchema::keyword(json::view(m.name));
        if (keyword == Keyword::Constraint) return {};
        const bool text = m.name == "title" || m.name == "description";
        if (keyword == Keyword::None || (text && !m.value.IsString())) stray = &m;
    }
    if (!stray) return {};
    return Error{
        ErrorClass::InvalidRequest,
        "it constrains nothing (\"" + std::string(json::view(stray->name)) +
            "\" is no keyword of JSON Schema); describe the members of an object under \"properties\", "
            "or give {} if any JSON will do"};
}

}  // namespace

Result<OutputSchema> OutputSchema::parse(const json::Value& v) {
    if (!v.IsObject()) return invalid(Translation::kRoot, "expected object");
    const auto kind = json::string(v, "kind");
    if (kind == "http-json") {
        const auto translated = Translation().run(v);
        if (!translated) return translated.error();
        auto schema = JsonSchema::compile(*translated);
        if (!schema) return invalid(Translation::kRoot, schema.error().message);
        return OutputSchema(std::move(schema).value(), json::dump(*translated));
    }
    if (kind != "json-schema")
        return invalid(Place(Translation::kRoot, "kind"), "expected 'http-json' for HTTP transport");
    const Place place(Translation::kRoot, "schema");
    const Value* given = find(v, "schema");
    if (!given) return invalid(place, "expected object");
    const Value& own = unwrapped(*given);
    if (auto ok = constrains(own); !ok) return invalid(place, ok.error().message);
    auto schema = JsonSchema::compile(own);
    if (!schema) return invalid(place, schema.error().message);
    return OutputSchema(std::move(schema).value(), json::dump(own));
}

Result<void> OutputSchema::validate(const json::Value& v, Effort& effort) const {
    auto outcome = schema_.validate(v, effort);
    if (outcome || effort.interruption()) return outcome;
    return Error{ErrorClass::BadResponse, "Output schema validation failed: " + outcome.error().message};
}

}  // namespace stepper::output
