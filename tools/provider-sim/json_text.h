// JSON written by nesting calls: obj({{"id", id}, {"choices", arr({obj({{"index", 0}})})}}). Keys are
// literals that need no escaping; texts must be valid UTF-8. Pure functions, safe from any thread.
#pragma once
#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stepper::sim {

// A piece of JSON text. An absent one leaves its member out of the object around it.
class J {
public:
    J(std::string_view text);
    J(const char* text) : J(std::string_view(text)) {}
    J(const std::string& text) : J(std::string_view(text)) {}
    J(std::nullptr_t) : text_("null") {}
    J(std::same_as<bool> auto b) : text_(b ? "true" : "false") {}
    J(std::integral auto n)
    requires(!std::same_as<decltype(n), bool>) : text_(std::to_string(n)) {}

    static J raw(std::string json);
    static J absent() { return raw({}); }
    bool isAbsent() const { return text_.empty(); }
    const std::string& str() const { return text_; }

private:
    std::string text_;
};

J obj(std::initializer_list<std::pair<std::string_view, J>> members);
J arr(const std::vector<J>& items);

}  // namespace stepper::sim
