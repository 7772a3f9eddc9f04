// All settings there are: one row each, in the order of the files. Built at the first call, constant, and
// never destroyed, for reading files of a dead server may outlive the end of main(); any thread.
#pragma once
#include "core/config/setting.h"

namespace stepper::config {

// Of stepper.yaml.
const Settings<Config>& settings();
// Of providers.yaml as a whole, beside `defaults` and `providers`.
const Settings<Config>& catalogueSettings();
// Of one provider: what only its block may have, then what `defaults:` may have as well. Not all have a
// reader: providers.cpp says what becomes of the others.
Rows<Provider> providerSettings();
Rows<Provider> sharedSettings();
// Of one of its `limits.windows`, and of its `price`.
const Settings<Window>& windowSettings();
const Settings<Price>& priceSettings();

// Reads stepper.yaml into everything but Config::providers; its provider_defaults are left to
// readProviders().
void readSettings(const Value& root, Config& config);

// providers.yaml into Config::providers and warnings. `before_defaults` (may be null): what goes before its
// `defaults`, in the same keys.
void readProviders(const Value& root, const Node* before_defaults, Config& config);

}  // namespace stepper::config
