#include "core/report/answer.h"

#include <string>

#include "core/base/text.h"
#include "core/report/rules.h"

namespace stepper::report {
namespace {

using json::Value;

enum class Kind { Text, List, Tags };

struct Field {
    const char* name;
    Kind kind;
    size_t min, max;  // characters of a text, items of a list
};

constexpr Field kFields[] = {
    {"title", Kind::Text, Rules::kTitle.min, Rules::kTitle.max},
    {"summary", Kind::Text, Rules::kSummary.min, Rules::kSummary.max},
    {"changes", Kind::List, Rules::kChanges.min, Rules::kChanges.max},
    {"rationale", Kind::Text, Rules::kProse.min, Rules::kProse.max},
    {"impact_and_tests", Kind::Text, Rules::kProse.min, Rules::kProse.max},
    {"next_steps", Kind::List, Rules::kNextSteps.min, Rules::kNextSteps.max},
    {"tags", Kind::Tags, 1, Rules::kMaxTags},
};
constexpr std::string_view kMayHaveEmptyItems = "next_steps";

bool isBlank(const Value& v) { return v.IsString() && trim(json::view(v)).empty(); }

class Check {
public:
    Result<json::Document> run(const Value& generated) {
        out_.SetObject();
        if (!generated.IsObject()) return Error{ErrorClass::BadResponse, "report: expected object"};
        for (const Field& field : kFields) {
            const Value* v = json::find(generated, field.name);
            if (!v) {
                broken(field.name, "missing");
                continue;
            }
            Value checked = field.kind == Kind::Text   ? text(field, *v)
                            : field.kind == Kind::List ? list(field, *v)
                                                       : tags(field, *v);
            json::set(out_, field.name, std::move(checked), out_.GetAllocator());
        }
        if (!violations_.empty()) return Error{ErrorClass::BadResponse, violations_};
        return std::move(out_);
    }

private:
    Value text(const Field& field, const Value& v) {
        if (!v.IsString()) return broken(field.name, "expected string");
        const auto trimmed = trim(json::view(v));
        length(field, trimmed);
        return copy(trimmed);
    }

    Value list(const Field& field, const Value& v) {
        if (!v.IsArray()) return broken(field.name, "expected array");
        Value items(rapidjson::kArrayType);
        for (rapidjson::SizeType i = 0; i < v.Size(); ++i) {
            if (field.name == kMayHaveEmptyItems && isBlank(v[i])) continue;
            const std::string place = std::string(field.name) + "[" + std::to_string(i) + "]";
            if (!v[i].IsString()) return broken(place, "expected string");
            const auto item = trim(json::view(v[i]));
            if (utf8Length(item) < Rules::kMinItem)
                broken(place, std::to_string(utf8Length(item)) + " characters, needs at least " +
                                  std::to_string(Rules::kMinItem));
            items.PushBack(copy(item), out_.GetAllocator());
        }
        range(field, items.Size(), "items");
        return items;
    }

    Value tags(const Field& field, const Value& v) {
        std::string joined;
        const auto add = [&](std::string_view tag) {
            if (trim(tag).empty()) broken(field.name, "empty tag");
            joined += (joined.empty() ? "" : ", ") + std::string(trim(tag));
        };
        const auto addAll = [&](std::string_view list) {
            for (size_t comma; (comma = list.find(',')) != list.npos; list.remove_prefix(comma + 1))
                add(list.substr(0, comma));
            add(list);
        };
        if (v.IsString()) {
            addAll(json::view(v));
        } else if (v.IsArray() && !v.Empty()) {
            for (const Value& tag : v.GetArray()) {
                if (!tag.IsString()) return broken(field.name, "expected strings");
                addAll(json::view(tag));
            }
        } else {
            return broken(field.name, "expected string or non-empty array of strings");
        }
        if (utf8Length(joined) > field.max) length(field, joined);
        return copy(joined);
    }

    void length(const Field& field, std::string_view s) { range(field, utf8Length(s), "characters"); }

    void range(const Field& field, size_t count, const char* unit) {
        if (count >= field.min && count <= field.max) return;
        broken(field.name, std::to_string(count) + " " + unit + ", needs " + std::to_string(field.min) +
                               " to " + std::to_string(field.max));
    }

    Value broken(std::string_view place, std::string_view rule) {
        const std::string violation = std::string(place) + ": " + std::string(rule);
        if (violations_.size() < kMaxErrorLength && violations_.find(violation) == std::string::npos)
            violations_ += (violations_.empty() ? "" : "; ") + violation;
        return Value();
    }

    Value copy(std::string_view s) { return json::text(s, out_.GetAllocator()); }

    static constexpr size_t kMaxErrorLength = 2000;

    json::Document out_;
    std::string violations_;
};

std::string describe() {
    const auto text = [](size_t min, const std::string& max) {
        return R"({"type":"string","minLength":)" + std::to_string(min) + max + "}";
    };
    std::string properties, names;
    for (const Field& field : kFields) {
        const std::string name = "\"" + std::string(field.name) + "\"", comma = names.empty() ? "" : ",";
        const std::string min = std::to_string(field.min), max = std::to_string(field.max);
        const std::string schema = field.kind == Kind::List
                                       ? R"({"type":"array","items":)" + text(Rules::kMinItem, "") +
                                             R"(,"minItems":)" + min + R"(,"maxItems":)" + max + "}"
                                       : text(field.min, R"(,"maxLength":)" + max);
        properties += comma + name + ":" + schema;
        names += comma + name;
    }
    return R"({"type":"object","properties":{)" + properties + R"(},"required":[)" + names +
           R"(],"additionalProperties":false})";
}

}  // namespace

Result<json::Document> check(const json::Value& generated) { return Check().run(generated); }

std::string_view jsonSchema() {
    static const std::string kText = describe();
    return kText;
}

}  // namespace stepper::report
