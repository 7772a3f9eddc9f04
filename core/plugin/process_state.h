// What foreign code may change about the process it runs in, besides memory: compared before and after it
// ran.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stepper::plugin {

class ProcessState {
public:
    // Everything, for a process that does nothing else meanwhile. Takes some hundred microseconds.
    static ProcessState whole();
    // What no other thread of a host changes either, and of threads only the calling one. About 100 µs.
    static ProcessState shared();

    // What is otherwise in `after`, such as "the working directory was /a and is /b"; nothing of what could
    // not be read on either side. Values of environment variables are not told.
    std::vector<std::string> changesTo(const ProcessState& after) const;

private:
    struct Fact {
        std::optional<std::string> is;  // what is compared; none: it could not be read
        std::string shown = {};         // what people are told instead of it
        const std::string& text() const { return shown.empty() ? *is : shown; }
    };
    static std::string describe(const std::string& what, const Fact* was, const Fact* is);

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

    std::map<std::string, Fact> facts_;  // by what it is called
};

}  // namespace stepper::plugin
