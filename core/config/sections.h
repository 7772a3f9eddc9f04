// The keys of the two files: what each is called, what it may hold and where it goes.
#pragma once
#include <string>

#include "core/config/reader.h"

namespace stepper::config {

// stepper.yaml into everything but Config::providers; its provider_defaults are left to readProviders().
// Returns the path of the providers file as written.
std::string readSettings(const Value& root, Config& config);

// providers.yaml into Config::providers and warnings. `before_defaults` (may be null): what goes before its
// `defaults`, in the same keys.
void readProviders(const Value& root, const Node* before_defaults, Config& config);

}  // namespace stepper::config
