#include <cstdio>
#include <iostream>
#include <iterator>

#include "core/app/verbs.h"
#include "core/base/text.h"

namespace stepper::app {

int complain(const std::string& problem, int status) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return status;
}

std::optional<std::string> promptOf(const Options& options) {
    std::string prompt = options.prompt;
    if (prompt == "-") prompt.assign(std::istreambuf_iterator<char>(std::cin), {});
    if (!std::cin.bad() && !trim(prompt).empty()) return prompt;
    complain(std::cin.bad() ? "standard input cannot be read" : "the prompt is empty");
    return std::nullopt;
}

}  // namespace stepper::app
