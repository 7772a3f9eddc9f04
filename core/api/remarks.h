// What a request says that nobody acts on. A client is told of it, or, when it asked to be strict, refused.
// Values; not shared between threads.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace stepper::api {

class Remarks {
public:
    // `place`: where in the request, "items[0].request.priority"; `why` it does not count. Both may hold the
    // client's words.
    void add(std::string place, std::string why);
    // A name that is none of `known`; names the one that was probably meant.
    void unknown(std::string place, std::string_view name, std::string_view what,
                 const std::vector<std::string>& known);
    // Whether one more is only counted, and nobody needs to word it; it has been counted then.
    bool leavesOut();
    // Those of a part of the request, which stands at `prefix`.
    void addAll(const Remarks& part, std::string_view prefix);

    bool empty() const { return found_.empty(); }
    // "Invalid PLACE: WHY" of the first. Not empty.
    std::string refusal() const;
    // "PLACE is ignored: WHY" of each, at most kMost and then how many more there are.
    std::vector<std::string> warnings() const;

    static constexpr size_t kMost = 20;

private:
    struct Remark {
        std::string place, why;
    };
    std::vector<Remark> found_;
    size_t left_out_ = 0;
};

}  // namespace stepper::api
