// What foreign code may change about the process it runs in, besides memory: compared before and after it
// ran.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stepper::plugin {

class ProcessState {
public:
    // Everything, for a process that does nothing else meanwhile. Takes some hundred microseconds.
    static ProcessState whole();
    // What no other thread of a host changes either, and of threads only the calling one. Some tens of
    // microseconds, nearly all of them the kernel's.
    static ProcessState shared();

    // What is otherwise in `after`, such as "the working directory was /a and is /b"; nothing of what could
    // not be read on either side. Values of environment variables are not told.
    std::vector<std::string> changesTo(const ProcessState& after) const;

private:
    struct Value {
        std::optional<std::string> is;  // what is compared; none: it could not be read
        std::string shown = {};         // what people are told instead of it
        const std::string& text() const { return shown.empty() ? *is : shown; }
        bool operator==(const Value& other) const { return is == other.is; }
    };
    struct Fact {
        std::string_view what;  // a literal
        int number = -1;        // of several with the same name
        Value value;
        bool operator==(const Fact&) const = default;
    };
    static std::string describe(const std::string& what, const Value* was, const Value* is);
    std::map<std::string, Value> byName() const;
    void add(std::string_view what, Value value, int number = -1);

    void addLimits();
    void addSignals();
    void addTimers();
    void addEnvironment();
    void addPlaces();
    void addStatus();
    void addArithmetic();
    void addControls();
    void addDescriptor(int fd);
    void addDescriptors();

    std::vector<Fact> facts_;  // always in the same order, so that most comparisons end with equality
    std::string environment_;  // entries that each end with a NUL
};

}  // namespace stepper::plugin
