// The command line: which verb it names, with which options. What means nothing is refused, never ignored.
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "core/app/options.h"

namespace stepper::app {

using Verb = int (*)(const Options&);

struct Run {
    Verb verb;
    Options options;
};

// There is nothing to run: help that was asked for (status 0, for standard output), or what is wrong.
struct Say {
    std::string text;
    int status;
};

// `words` are those after the program's name. Pure.
std::variant<Run, Say> readCommandLine(const std::vector<std::string>& words);

}  // namespace stepper::app
