// Literals assigned to names that secrets have: password=..., "api_key": "...", env["TOKEN"] = '...'.
#pragma once
#include "core/secrets/values.h"

namespace stepper::secrets {

// One per text, asked from left to right.
class Assignments {
public:
    explicit Assignments(std::string_view text) : text_(text) {}

    // The secret that the ':', '=', ',' or '>' at text[op] assigns.
    std::optional<Secret> at(size_t op);
    // The one behind a command's option "--password", text[begin, end).
    std::optional<Secret> behindOption(size_t begin, size_t end);

private:
    struct Value {
        size_t begin;
        size_t end;
        Form form;
    };
    // text[begin, end) is the name.
    struct Name {
        const NameRule* rule;
        size_t begin;
        size_t end;
    };

    std::optional<Name> nameBefore(size_t op) const;
    std::optional<Name> nameOfPair(size_t value) const;
    bool isArgument(const Name& name) const;
    bool isEnvironment(const Name& name, size_t op) const;
    std::optional<Value> valueAt(size_t op, const Name& name);
    std::optional<Value> elementValue(size_t op, const Name& name) const;
    std::optional<Value> quotedValue(size_t at) const;
    std::optional<Value> blockValue(size_t at) const;
    std::optional<Value> environmentValue(size_t begin) const;
    std::optional<Value> bareValue(size_t op, size_t begin);
    std::optional<Secret> judged(const std::optional<Value>& value, const NameRule& rule) const;
    bool opensQuote(size_t at) const;
    size_t bareEnd(size_t from);

    std::string_view text_;
    size_t bare_end_ = 0;  // end of the last unquoted value read, so that "token:token:token:" is read once
};

}  // namespace stepper::secrets
