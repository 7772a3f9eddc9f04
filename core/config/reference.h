// What there is to set, for people to read: made of the tables in settings.h. Pure; any thread.
#pragma once
#include <string>

namespace stepper::config {

// A stepper.yaml that says every default, with its line of help. It means what an empty one does.
std::string defaultsYaml();

// The tables of docs/settings.md, which holds them as they are: of stepper.yaml, and of providers.yaml.
std::string settingsTable();
std::string providersTable();

}  // namespace stepper::config
