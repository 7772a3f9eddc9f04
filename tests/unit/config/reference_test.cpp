// What people read of the settings is what the program has.
#include "core/config/reference.h"

#include <filesystem>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/file.h"
#include "core/config/compare.h"
#include "core/config/defaults.h"
#include "core/config/settings.h"
#include "tests/unit/config/support.h"

namespace stepper::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

void expectDefaults(const std::string& yaml) {
    const auto all = parseSettings(yaml), none = parseSettings("{}");
    ASSERT_TRUE(all.ok()) << problemOf(all);
    EXPECT_THAT(differences(*none, *all), IsEmpty());
    EXPECT_EQ(all->providers_file, none->providers_file);
    EXPECT_EQ(all->warnings, none->warnings);
}

TEST(Reference, AFileOfDefaultsMeansWhatAnEmptyOneDoes) { expectDefaults(defaultsYaml()); }

// Those that stand for what is found out are comments; each of them is a line that could be one.
TEST(Reference, WhatItLeavesToTheProgramMayBeWrittenToo) {
    const std::string whole = std::regex_replace(defaultsYaml(), std::regex("\n( *)# ([a-z_]+: )"), "\n$1$2");
    ASSERT_THAT(whole, HasSubstr("\n  api_key_enabled: false"));
    expectDefaults(whole);
}

TEST(Reference, AFileOfDefaultsHasEverySetting) {
    const std::string yaml = defaultsYaml();
    for (const auto& row : settings()) {
        const std::string key = row.path.substr(row.path.rfind('.') + 1);
        EXPECT_THAT(yaml, testing::ContainsRegex("\n *(# )?" + key + ": ")) << row.path;
    }
}

TEST(Reference, TheShippedFileIsIt) { EXPECT_EQ(defaultStepperYaml(), defaultsYaml()); }

// But for the rate that free tiers take.
TEST(Reference, TheDefaultsOfTheShippedProvidersAreThoseOfTheProgram) {
    const std::string shipped(defaultProvidersYaml()),
        one = "providers: [{ name: one, plugin: p, base_url: http://h }]";
    const auto with = parseProviders(shipped.substr(0, shipped.find("\nproviders:") + 1) + one),
               without = parseProviders(one);
    ASSERT_TRUE(with.ok()) << problemOf(with);
    EXPECT_THAT(differences(*without, *with), testing::ElementsAre("provider one changed: limits.rpm"));
}

TEST(Reference, ThePageHasItsTables) {
    const auto page = readFile(std::filesystem::path(DOCS_FOLDER) / "settings.md", 1u << 20);
    ASSERT_TRUE(page.ok()) << page.error().message;
    EXPECT_THAT(*page, HasSubstr("\n\n" + settingsTable() + "\n")) << "`stepper config --reference` has them";
    EXPECT_THAT(*page, HasSubstr("\n\n" + providersTable() + "\n"))
        << "`stepper config --reference` has them";
}

}  // namespace
}  // namespace stepper::config
