// Not RapidJSON's validator: that one overflows the stack on `$ref` cycles and on patterns like (a*)*, and
// shares scratch memory between threads.
#include "core/schema/json_schema.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_set>
#include <vector>

#include "core/base/json_finder.h"
#include "core/base/place.h"
#include "core/base/text.h"
#include "core/schema/keywords.h"
#include "core/schema/values.h"
#include "core/schema/walk.h"

namespace stepper {
namespace {

using json::find;
using json::Value;
using json::view;
using schema::canonical;
using schema::isForeign;
using schema::isIntegral;
using schema::Prepared;
using schema::Shape;
using schema::shapeOf;

constexpr size_t kMaxDepth = 64;  // as json::parse
constexpr size_t kMaxSchemaValues = 10'000;
constexpr size_t kMaxWarnings = 10;
constexpr size_t kMaxPatternCode = 50'000;  // instructions, all patterns of a schema together

bool nestsWithin(const Value& v, size_t levels) {
    if (!v.IsObject() && !v.IsArray()) return true;
    if (levels == 0) return false;
    if (v.IsArray())
        return std::all_of(v.Begin(), v.End(),
                           [&](const Value& item) { return nestsWithin(item, levels - 1); });
    return std::all_of(v.MemberBegin(), v.MemberEnd(),
                       [&](const auto& m) { return nestsWithin(m.value, levels - 1); });
}

// "%25" and the like of a URI fragment; a broken escape stays as it is and will not be found.
std::string percentDecoded(std::string_view s) {
    std::string out;
    for (size_t i = 0; i < s.size(); ++i) {
        unsigned char c = 0;
        const char* end = s.data() + std::min(i + 3, s.size());
        if (s[i] == '%' && std::from_chars(s.data() + i + 1, end, c, 16).ptr == s.data() + i + 3) {
            out += static_cast<char>(c);
            i += 2;
        } else {
            out += s[i];
        }
    }
    return out;
}

// Checks the schema's own form and fills Prepared.
class Preparation {
public:
    explicit Preparation(Prepared& out) : out_(out) {}

    Result<void> run() {
        const auto dialect = json::string(out_.schema, "$schema").value_or("");
        for (const char* old : {"draft-03", "draft-04", "draft-06", "draft-07"})
            out_.references_stand_alone |= dialect.find(old) != dialect.npos;
        if (auto ok = schema(out_.schema, Place("")); !ok) return ok;
        // A reference may lead where no keyword does, and to others from there.
        while (!pending_.empty()) {
            const Reference next = std::move(pending_.back());
            pending_.pop_back();
            if (auto ok = resolve(next); !ok) return ok;
        }
        return noEndlessReference();
    }

    std::vector<std::string> takeWarnings() { return std::move(warnings_); }

private:
    struct Reference {
        const Value* from;
        std::string_view target;
        std::string where;  // a pointer, fit to be shown
    };

    static Error bad(const std::string& where, std::string_view what) {
        return {ErrorClass::InvalidRequest, (where.empty() ? "schema" : where) + ": " + std::string(what)};
    }
    static Error bad(const Place& where, std::string_view what) { return bad(where.pointer(), what); }
    static Result<void> expect(bool ok, const Place& where, std::string_view what) {
        return ok ? Result<void>() : bad(where, what);
    }

    Result<void> schema(const Value& s, const Place& where) {
        if (s.IsBool() || !seen_.insert(&s).second) return {};
        if (!s.IsObject()) return bad(where, "a schema is an object or a boolean");
        noteAnchors(s);
        if (const Value* target = find(s, "$ref"))
            if (auto ok = reference(s, *target, Place(where, "$ref")); !ok || out_.references_stand_alone)
                return ok;
        for (const auto& m : s.GetObject()) {
            const Place place(where, view(m.name));
            if (isForeign(view(m.name))) return bad(place, "this keyword is not supported");
            const auto shape = shapeOf(view(m.name));
            if (!shape) continue;
            if (auto ok = argument(*shape, m.value, place); !ok) return ok;
        }
        return {};
    }

    void noteAnchors(const Value& s) {
        for (const char* name : {"$anchor", "$dynamicAnchor"})
            if (const auto anchor = json::string(s, name)) anchors_.emplace(*anchor, &s);
        // How drafts 4 to 7 wrote it.
        for (const char* name : {"$id", "id"})
            if (const auto id = json::string(s, name); id && id->size() > 1 && id->starts_with('#'))
                anchors_.emplace(id->substr(1), &s);
    }

    Result<void> reference(const Value& s, const Value& target, const Place& where) {
        if (!target.IsString()) return bad(where, "expected a string");
        std::string_view fragment = view(target);
        const auto id = json::string(out_.schema, "$id").value_or("");
        if (!id.empty() && fragment.starts_with(id)) fragment.remove_prefix(id.size());
        if (fragment.substr(0, 1) != "#" && !(fragment.empty() && !id.empty()))
            return bad(where, "only references inside the schema (\"#...\") are supported");
        pending_.push_back({&s, fragment.substr(std::min<size_t>(1, fragment.size())), where.pointer()});
        return {};
    }

    Result<void> resolve(const Reference& r) {
        // RapidJSON's own reading of fragments refuses the plain $ in "#/$defs/x".
        std::string pointer = percentDecoded(r.target);
        const auto anchor = anchors_.find(pointer);
        const Value* found = anchor == anchors_.end() ? finder_.at(out_.schema, pointer) : anchor->second;
        if (!found)
            return bad(r.where, "nothing in the schema is at #" +
                                    std::string(utf8Prefix(r.target, Place::kMostBytes)));
        out_.references[r.from] = found;
        return schema(*found, Place(pointer));
    }

    Result<void> argument(Shape shape, const Value& a, const Place& where) {
        switch (shape) {
            case Shape::Schema: return schema(a, where);
            case Shape::Schemas:
                return a.IsArray() && !a.Empty() ? schemas(a, where)
                                                 : bad(where, "expected a non-empty array of schemas");
            case Shape::SchemaOrSchemas: return a.IsArray() ? schemas(a, where) : schema(a, where);
            case Shape::SchemaMap:
            case Shape::PatternMap:
            case Shape::Dependencies:
            case Shape::Dependents: return map(shape, a, where);
            case Shape::Count:
                return expect(isIntegral(a) && a.GetDouble() >= 0, where, "expected a non-negative integer");
            case Shape::Number: return expect(a.IsNumber(), where, "expected a number");
            case Shape::NumberOrBoolean:
                return expect(a.IsNumber() || a.IsBool(), where, "expected a number or boolean");
            case Shape::PositiveNumber:
                return expect(a.IsNumber() && a.GetDouble() > 0, where, "expected a number above 0");
            case Shape::Boolean: return expect(a.IsBool(), where, "expected a boolean");
            case Shape::Strings: return expect(isStrings(a), where, "expected an array of strings");
            case Shape::Types: return types(a, where);
            case Shape::Values:
                if (!a.IsArray() || a.Empty()) return bad(where, "expected a non-empty array");
                for (const Value& v : a.GetArray()) out_.allowed[&a].insert(canonical(v));
                return {};
            case Shape::Constant: out_.allowed[&a].insert(canonical(a)); return {};
            case Shape::Pattern: return a.IsString() ? pattern(a, where) : bad(where, "expected a string");
        }
        return {};
    }

    static bool isStrings(const Value& a) {
        return a.IsArray() && std::all_of(a.Begin(), a.End(), [](const Value& v) { return v.IsString(); });
    }

    Result<void> schemas(const Value& a, const Place& where) {
        for (rapidjson::SizeType i = 0; i < a.Size(); ++i)
            if (auto ok = schema(a[i], Place(where, i)); !ok) return ok;
        return {};
    }

    Result<void> map(Shape shape, const Value& a, const Place& where) {
        if (!a.IsObject()) return bad(where, "expected an object");
        for (const auto& m : a.GetObject()) {
            const Place place(where, view(m.name));
            if (shape == Shape::PatternMap)
                if (auto ok = pattern(m.name, place); !ok) return ok;
            if (shape == Shape::Dependencies && isStrings(m.value)) continue;
            if (shape == Shape::Dependents) {
                if (!isStrings(m.value)) return bad(place, "expected an array of strings");
                continue;
            }
            if (auto ok = schema(m.value, place); !ok) return ok;
        }
        return {};
    }

    static Result<void> types(const Value& a, const Place& where) {
        static const std::unordered_set<std::string_view> kTypes = {"null",   "boolean", "object", "array",
                                                                    "string", "number",  "integer"};
        const auto known = [](const Value& v) { return v.IsString() && kTypes.count(view(v)) > 0; };
        const bool ok = a.IsArray() ? !a.Empty() && std::all_of(a.Begin(), a.End(), known) : known(a);
        return expect(ok, where, "expected one of null, boolean, object, array, string, number, integer");
    }

    Result<void> pattern(const Value& source, const Place& where) {
        constexpr const char* kTooLarge = "the patterns of this schema are too large together";
        if (pattern_code_ > kMaxPatternCode) return notEnforced(where, kTooLarge);
        auto compiled = Pattern::compile(view(source), pattern_code_);
        if (!compiled && compiled.error().error_class != ErrorClass::Unsupported)
            return bad(where, compiled.error().message);
        if (!compiled) return notEnforced(where, compiled.error().message);
        if (pattern_code_ > kMaxPatternCode) return notEnforced(where, kTooLarge);
        out_.patterns.insert_or_assign(&source, std::move(compiled).value());
        return {};
    }

    Result<void> notEnforced(const Place& where, const std::string& why) {
        if (warnings_.size() < kMaxWarnings)
            warnings_.push_back(where.pointer() + " is not enforced: " + why);
        return {};
    }

    // A reference may lead to a reference; following them has to arrive somewhere.
    Result<void> noEndlessReference() const {
        std::unordered_set<const Value*> fine;
        for (const auto& [from, to] : out_.references) {
            std::unordered_set<const Value*> way;
            for (auto at = out_.references.find(from); at != out_.references.end() && !fine.count(at->first);
                 at = out_.references.find(at->second))
                if (!way.insert(at->first).second)
                    return bad("schema",
                               "$ref " + std::string(*json::string(*from, "$ref")) + " leads back to itself");
            fine.merge(way);
        }
        return {};
    }

    Prepared& out_;
    std::vector<Reference> pending_;
    std::map<std::string_view, const Value*> anchors_;
    json::Finder finder_;
    std::vector<std::string> warnings_;
    std::unordered_set<const Value*> seen_;
    size_t pattern_code_ = 0;
};

}  // namespace

struct JsonSchema::Compiled {
    Prepared prepared;
    std::vector<std::string> warnings;
};

Result<JsonSchema> JsonSchema::compile(const json::Value& schema) {
    if (!nestsWithin(schema, kMaxDepth))
        return Error{ErrorClass::InvalidRequest, "schema: nested deeper than 64 levels"};
    // Through text, because RapidJSON's own copy keeps pointing at constant strings of the original.
    auto copy = json::parse(json::dump(schema), {.max_depth = kMaxDepth, .max_nodes = kMaxSchemaValues});
    if (!copy) return Error{ErrorClass::InvalidRequest, "schema: " + copy.error().message};
    auto compiled = std::make_shared<Compiled>();
    compiled->prepared.schema = std::move(copy).value();
    Preparation preparation(compiled->prepared);
    if (auto ok = preparation.run(); !ok) return ok.error();
    compiled->warnings = preparation.takeWarnings();
    return JsonSchema(std::move(compiled));
}

const std::vector<std::string>& JsonSchema::warnings() const { return compiled_->warnings; }

JsonSchema::Keyword JsonSchema::keyword(std::string_view name) {
    if (name == "$ref" || schema::shapeOf(name) || schema::isForeign(name)) return Keyword::Constraint;
    return schema::isAnnotation(name) || name.starts_with("x-") ? Keyword::Annotation : Keyword::None;
}

Result<void> JsonSchema::validate(const json::Value& value, Effort& effort) const {
    if (!nestsWithin(value, kMaxDepth))
        return Error{ErrorClass::BadResponse, "value: nested deeper than 64 levels"};
    return schema::walk(compiled_->prepared, value, effort);
}

}  // namespace stepper
