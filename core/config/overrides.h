// Environment variables that win over the files: tables of names and the keys they stand for. An override
// becomes a node of the tree, so one reader checks both, and its mark names the variable. An empty variable
// counts as unset.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/config/node.h"

namespace stepper::config {

// HOST, PORT, REDIS_URL, CACHE_TTL_SECONDS ...: into the tree of stepper.yaml.
void overrideSettings(Node& settings, const Environment& env);

// NAME_MODEL, NAME_API_KEY ... of this provider, what its account has for it, and RETRY_* and CIRCUIT_* of
// all: into its block. NAME_RPS takes the place of the requests per minute that are written there.
// OPENROUTER_REFERER and OPENROUTER_TITLE become headers of the one called openrouter.
void overrideProvider(Node& provider, std::string_view name, const Environment& env);

// "nvidia-llama" → "nvidia": one of several models behind one account, whose variables it goes by where it
// has none of its own. Empty for every other provider.
std::string_view accountOf(std::string_view name);

// "hf-space", "API_KEY" → "HF_SPACE_API_KEY"
std::string providerVariable(std::string_view name, std::string_view suffix);

// One sentence for each variable of the Node service that is set and changes nothing that Stepper does, for
// a Redis, and for a HOST that is meant for somebody else.
std::vector<std::string> unusedVariables(const Environment& env);

}  // namespace stepper::config
