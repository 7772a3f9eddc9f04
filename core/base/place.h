// Where in a JSON value something stands: a chain of steps on the stack, put into words only for whoever is
// told of it, so that long names cost nothing while all is well.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stepper {

// Immutable; borrows the names and the place it stands in.
class Place {
public:
    explicit Place(std::string_view root) : name_(root) {}
    Place(const Place& in, std::string_view name) : in_(&in), name_(name) {}
    Place(const Place& in, size_t index) : in_(&in), index_(index), is_index_(true) {}

    // "items[0].request.priority"
    std::string dotted() const;
    // RFC 6901, behind the root: "/properties/a~1b/0"
    std::string pointer() const;
    // As much of either is shown, of UTF-8 text, whole characters.
    static constexpr size_t kMostBytes = 200;

private:
    std::vector<const Place*> way() const;

    const Place* in_ = nullptr;
    std::string_view name_;
    size_t index_ = 0;
    bool is_index_ = false;
};

// Adds a token to a JSON pointer of which Place::kMostBytes will be shown, as far as it matters for that.
void addPointerToken(std::string& pointer, std::string_view token);

}  // namespace stepper
