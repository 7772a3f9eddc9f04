// Members by name, for whoever asks the same objects again and again.
#pragma once
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/json.h"

namespace stepper::json {

// Answers as json::find() and json::at() do. A large object is put in order when it is first asked, so that
// many questions to many members cost little more than one. Borrows the values, which may not change. Used by
// one thread at a time.
class Finder {
public:
    const Value* find(const Value& v, std::string_view key);
    const Value* at(const Value& v, std::string_view pointer);

private:
    using Members = std::vector<const Value::Member*>;
    const Members& ordered(const Value& object);

    std::unordered_map<const Value*, Members> ordered_;
};

}  // namespace stepper::json
