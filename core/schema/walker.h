// The inner half of walk.h, for walk*.cpp only: one method for each keyword, by kind of keyword in
// walk_values.cpp, walk_children.cpp, walk_logic.cpp and walk_unevaluated.cpp.
#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json_finder.h"
#include "core/base/text.h"
#include "core/schema/walk.h"

namespace stepper::schema {

using json::Value;
using json::view;

inline constexpr size_t kMaxCalls = 200;  // schemas inside schemas at one place of the walk

// For an error; long texts are cut.
std::string shown(const Value& v);

// One validation, and one class, because every keyword may apply any other. Every keyword's method answers
// whether `v` satisfies `argument`, which stands in `schema`.
class Walker {
public:
    using Check = bool (Walker::*)(const Value& schema, const Value& argument, const Value& v);

    Walker(const Prepared& prepared, Effort& effort) : prepared_(prepared), effort_(effort) {}

    Result<void> run(const Value& v);

    bool reference(const Value& schema, const Value&, const Value& v);
    bool type(const Value&, const Value& argument, const Value& v);
    bool enumeration(const Value&, const Value& argument, const Value& v);
    bool minimum(const Value& schema, const Value& argument, const Value& v);
    bool maximum(const Value& schema, const Value& argument, const Value& v);
    bool exclusiveMinimum(const Value&, const Value& argument, const Value& v);
    bool exclusiveMaximum(const Value&, const Value& argument, const Value& v);
    bool multipleOf(const Value&, const Value& argument, const Value& v);
    bool minLength(const Value&, const Value& argument, const Value& v);
    bool maxLength(const Value&, const Value& argument, const Value& v);
    bool pattern(const Value&, const Value& argument, const Value& v);
    bool prefixItems(const Value&, const Value& argument, const Value& v);
    bool items(const Value& schema, const Value& argument, const Value& v);
    bool additionalItems(const Value& schema, const Value& argument, const Value& v);
    bool contains(const Value& schema, const Value& argument, const Value& v);
    bool minItems(const Value&, const Value& argument, const Value& v);
    bool maxItems(const Value&, const Value& argument, const Value& v);
    bool uniqueItems(const Value&, const Value& argument, const Value& v);
    bool properties(const Value&, const Value& argument, const Value& v);
    bool patternProperties(const Value&, const Value& argument, const Value& v);
    bool additionalProperties(const Value& schema, const Value& argument, const Value& v);
    bool propertyNames(const Value&, const Value& argument, const Value& v);
    bool required(const Value&, const Value& argument, const Value& v);
    bool minProperties(const Value&, const Value& argument, const Value& v);
    bool maxProperties(const Value&, const Value& argument, const Value& v);
    bool dependencies(const Value&, const Value& argument, const Value& v);
    bool allOf(const Value&, const Value& argument, const Value& v);
    bool anyOf(const Value&, const Value& argument, const Value& v);
    bool oneOf(const Value&, const Value& argument, const Value& v);
    bool negation(const Value&, const Value& argument, const Value& v);
    bool condition(const Value& schema, const Value& argument, const Value& v);
    bool unevaluatedProperties(const Value& schema, const Value& argument, const Value& v);
    bool unevaluatedItems(const Value& schema, const Value& argument, const Value& v);

private:
    static Check keyword(std::string_view name);  // null: it demands nothing by itself

    struct Step {
        const Value* key;  // null: an array index
        size_t index;
    };
    struct Mismatch {
        std::vector<Step> path;
        std::string what;
    };

    // One schema within another, at one place of the walk.
    class Nesting {
    public:
        explicit Nesting(Walker& walk) : walk_(walk) {
            if (++walk_.calls_ > kMaxCalls)
                walk_.exhausted_ = "the schema applies itself without end to one value";
        }
        ~Nesting() { --walk_.calls_; }
        Nesting(const Nesting&) = delete;
        Nesting& operator=(const Nesting&) = delete;
        bool isAllowed() const { return walk_.calls_ <= kMaxCalls; }

    private:
        Walker& walk_;
    };
    bool check(const Value& schema, const Value& v);
    bool inside(const Step& to, const Value& schema, const Value& v) {
        path_.push_back(to);
        const bool ok = check(schema, v);
        path_.pop_back();
        return ok;
    }
    bool inside(const Value& key, const Value& schema, const Value& v) {
        return inside(Step{&key, 0}, schema, v);
    }
    bool inside(size_t index, const Value& schema, const Value& v) {
        return inside(Step{nullptr, index}, schema, v);
    }
    // Nothing when the pattern cannot be enforced. When the steps are used up, what ends a search soonest.
    std::optional<bool> matches(const Value& pattern, const Value& text);
    using Schemas = std::vector<const Value*>;
    void addApplied(const Value& schema, const Value& v, Schemas& out);
    void addAppliedInPlace(const Value& schema, const Value& v, Schemas& out);
    bool evaluatesMember(const Value& schema, const Value& name);
    bool evaluatesItem(const Value& schema, const Value& v, size_t index);
    double length(const Value& text) {
        spend(text.GetStringLength() / 8);
        return static_cast<double>(utf8Length(view(text)));
    }
    bool oneAlternative(const Value& alternatives, const Value& v, size_t enough, size_t& matching);

    bool spend(size_t steps) { return effort_.spend(steps) || exhaust(); }
    const Value* find(const Value& object, std::string_view name) {
        spend(1 + name.size() / 64);
        return finder_.find(object, name);
    }
    bool says(const Value& schema, std::string_view keyword) {
        const Value* v = find(schema, keyword);
        return v && v->IsTrue();
    }
    std::optional<double> numberOf(const Value& schema, std::string_view keyword) {
        const Value* v = find(schema, keyword);
        return v && v->IsNumber() ? std::optional(v->GetDouble()) : std::nullopt;
    }
    bool exhaust() {
        exhausted_ = "checking the value against its schema takes too long";
        return false;
    }
    bool fail(std::string what) {
        spend(16);
        failure_ = {path_, std::move(what)};
        return false;
    }
    bool demand(bool ok, const char* what, const Value& limit, const char* unit = "") {
        return ok || fail(what + shown(limit) + unit);
    }

    const Prepared& prepared_;
    json::Finder finder_;
    Effort& effort_;
    size_t calls_ = 0;
    size_t unknowns_ = 0;  // patterns taken for fulfilled because they cannot be enforced
    const char* exhausted_ = nullptr;
    std::vector<Step> path_;
    Mismatch failure_;
};

}  // namespace stepper::schema
