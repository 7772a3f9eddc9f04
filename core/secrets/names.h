// Names that secrets are assigned to.
#pragma once
#include <span>

#include "core/secrets/match.h"

namespace stepper::secrets {

enum class Values : uint8_t {
    Machine,  // made at random: letters and digits
    Human,    // chosen by people: may be digits alone, have symbols instead of digits, or be words in a row
    Base64,   // of user:password
    Key,      // as Machine, but the name is that of many things: only what is long and random
};

struct NameRule {
    std::string_view suffix;  // of the name, in lower case without '_' and '-'
    std::string_view kind;
    size_t min_length;  // of a value worth hiding
    Values values;
};

// The longest name looked at; a longer one is judged by its end.
constexpr size_t kNameWindow = 64;

// The rule for a name as it is written: DB_PASS, apiKey, x-api-key; null when secrets are not called so.
const NameRule* ruleFor(std::string_view name);

// No name whose last two characters these are has a rule.
bool endsNoRule(char before_last, char last);

}  // namespace stepper::secrets
