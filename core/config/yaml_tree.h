// Text → tree, on yaml-cpp, which throws, accepts repeated keys and cut-off quotes, and knows no merge keys.
#pragma once
#include <optional>
#include <string>

#include "core/config/node.h"
#include "core/config/problems.h"

namespace stepper::config {

// One document of plain YAML 1.2: UTF-8, with or without a byte order mark, tabs wherever they only separate,
// at most 32 levels, repeated keys reported. Aliases and merge keys (<<) are copied out, within a budget that
// stops "billion laughs". `file` is the name in messages. Nothing when it could not be read as a tree.
std::optional<Node> parseYaml(const std::string& text, const std::string& file, Problems& problems);

}  // namespace stepper::config
