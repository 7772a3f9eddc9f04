// What foreign code may change about the process it runs in, besides memory: compared before and after it
// ran.
#pragma once
#include <map>
#include <string>
#include <vector>

namespace stepper::plugin {

class ProcessState {
public:
    // Everything, for a process that does nothing else meanwhile. Takes some hundred microseconds.
    static ProcessState whole();
    // What no other thread of a host changes either, and of threads only the calling one. About 100 µs.
    static ProcessState shared();

    // What is otherwise in `after`, such as "the working directory was /a and is /b". Values of environment
    // variables are not told.
    std::vector<std::string> changesTo(const ProcessState& after) const;

private:
    void addLimits();
    void addSignals();
    void addTimers();
    void addEnvironment();
    void addPlaces();
    void addStatus();
    void addArithmetic();
    void addControls();
    void addDescriptors();

    std::map<std::string, std::string> facts_;  // value by what it is called
};

}  // namespace stepper::plugin
