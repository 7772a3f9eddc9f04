#include "core/config/env_file.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/temporary_folder.h"

namespace stepper::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Variables = std::vector<std::pair<std::string, std::string>>;

Variables read(const std::string& text) {
    const auto file = parseEnvFile(text, ".env");
    EXPECT_TRUE(file.ok()) << text << '\n' << (file.ok() ? "" : file.error().message);
    return file.ok() ? Variables(file->variables.begin(), file->variables.end()) : Variables();
}

std::string problem(const std::string& text) {
    const auto file = parseEnvFile(text, ".env");
    return file.ok() ? "(none)" : file.error().message;
}

// Each was read by dotenv 17, with the same outcome.
TEST(EnvFile, ReadsWhatDotenvReads) {
    const std::pair<std::string, Variables> cases[] = {
        {"", {}},
        {"\xEF\xBB\xBF", {}},
        {" \n\t\n# A=1\n  # B=2\n", {}},
        {"A=1\nB=2", {{"A", "1"}, {"B", "2"}}},
        {"A=1\nA=2\n", {{"A", "2"}}},
        {"A=\nB=\"\"\nC=''\n", {{"A", ""}, {"B", ""}, {"C", ""}}},
        {"  A = 1 \n\tB\t=\t2\t\n", {{"A", "1"}, {"B", "2"}}},
        {"export A=1\n export\tB='2'\nexport=3\n", {{"A", "1"}, {"B", "2"}, {"export", "3"}}},
        {"A: 1\nB:  \"2\"\n", {{"A", "1"}, {"B", "2"}}},
        {"a.b-c_1=x\n", {{"a.b-c_1", "x"}}},
        // motdotla/dotenv#461, denoland/std#6216: the lines of other systems
        {"A=1\r\nB='x\r\ny'\r\nC=3\rD=4\r", {{"A", "1"}, {"B", "x\ny"}, {"C", "3"}, {"D", "4"}}},
        {"\xEF\xBB\xBF"
         "A=1\n",
         {{"A", "1"}}},
        // motdotla/dotenv#601, theskumar/python-dotenv#141: a bare value ends at #, a quoted one does not
        {"A=x # y\nB='x # y'\nC=\"x#y\" # z\nD=`x#y`# z\nE=#x\n",
         {{"A", "x"}, {"B", "x # y"}, {"C", "x#y"}, {"D", "x#y"}, {"E", ""}}},
        {"A=x#y\nB={\"f\": \"x#y\"}\n", {{"A", "x"}, {"B", "{\"f\": \"x"}}},
        // motdotla/dotenv#458, vlucas/phpdotenv#237: keys of several lines
        {"A=\"-----BEGIN\nMII#=\n-----END\"\nB=1\n", {{"A", "-----BEGIN\nMII#=\n-----END"}, {"B", "1"}}},
        {"A='x\n\n# y\n' # z\nB=`1\n2`", {{"A", "x\n\n# y\n"}, {"B", "1\n2"}}},
        // motdotla/dotenv#218: \n is a line break between double quotes only
        {R"(A="x\ny\rz\tw"
B='x\ny'
C=x\ny
D=`x\ny`)",
         {{"A", "x\ny\rz\\tw"}, {"B", "x\\ny"}, {"C", "x\\ny"}, {"D", "x\\ny"}}},
        {R"(A="x \"y\" z"
B='it\'s'
C="it's `so`")",
         {{"A", R"(x \"y\" z)"}, {"B", R"(it\'s)"}, {"C", "it's `so`"}}},
        {"A=\"{\"a\": [1, \"b\"]}\"\nB='it's'\nC=\"C:\\\"\nD=1\n",
         {{"A", R"({"a": [1, "b"]})"}, {"B", "it's"}, {"C", "C:\\"}, {"D", "1"}}},
        {"A={\"a\": 1}\nB=a b 'c'\nC=x=y==\nD=$A${A}\n",
         {{"A", "{\"a\": 1}"}, {"B", "a b 'c'"}, {"C", "x=y=="}, {"D", "$A${A}"}}},
        {"A=  'x'  \nB= \" x \"\n", {{"A", "x"}, {"B", " x "}}},
    };
    for (const auto& [text, variables] : cases) EXPECT_EQ(read(text), variables) << text;
}

TEST(EnvFile, ABrokenLineIsNamedAndNotShown) {
    const std::pair<std::string, std::string> cases[] = {
        {"sk-secret\n", ".env:1:1: expected NAME=VALUE, a comment after # or an empty line"},
        {"A=1\n\n=sk-secret\n", ".env:3:1: expected NAME=VALUE, a comment after # or an empty line"},
        {"A=1\r\nB sk-secret", ".env:2:1: expected NAME=VALUE, a comment after # or an empty line"},
        {"export A\n", ".env:1:1: expected NAME=VALUE, a comment after # or an empty line"},
        {"A$B=1\n", ".env:1:1: expected NAME=VALUE, a comment after # or an empty line"},
        {"A:sk-secret\n", ".env:1:1: expected NAME=VALUE, a comment after # or an empty line"},
        {"A='1\n2'\nB=\"sk-secret\nC=1\n", ".env:3:1: this quote is never closed"},
        {"A=\"sk-secret\nB=\"1\"\n", ".env:1:1: this quote is never closed"},
        {"A=\"\n", ".env:1:1: this quote is never closed"},
        {"A='sk' secret\n", ".env:1:1: something follows the closing quote"},
        {"A=1\nB=x\xFF\n", ".env:2:1: not UTF-8 text"},
        {std::string("A=1\nB=\0\n", 8), ".env:2:1: not a text file: it holds the byte 0x00"},
        {"\xFF\xFE"
         "A",
         ".env:1:1: is UTF-16; save it as UTF-8"},
    };
    for (const auto& [text, expected] : cases) EXPECT_EQ(problem(text), expected) << text;
    EXPECT_EQ(problem("x\nA=1\ny\n"),
              ".env:1:1: expected NAME=VALUE, a comment after # or an empty line\n"
              ".env:3:1: expected NAME=VALUE, a comment after # or an empty line");
}

TEST(EnvFile, ValuesThatEndEarlyAreWarnedOf) {
    const auto file = parseEnvFile("A=pass#word\nB=pass #word\nC=#word\nD='pass#word'\n", ".env");
    ASSERT_TRUE(file.ok());
    EXPECT_THAT(file->warnings,
                ElementsAre(".env:1: this value ends at its first #; put quotes around it if the # "
                            "belongs to it."));
}

TEST(EnvFile, WhatOnlyTheEnvironmentIsAskedForIsWarnedOf) {
    const auto file = parseEnvFile("HTTPS_PROXY=http://u:secret@p:1\nA=1\n", ".env");
    ASSERT_TRUE(file.ok());
    EXPECT_THAT(file->warnings,
                ElementsAre(".env: HTTPS_PROXY has no effect in a file; set it in the environment."));
}

TEST(EnvFile, OneThatIsOpenToEverybodyIsWarnedOf) {
    namespace fs = std::filesystem;
    const TemporaryFolder folder;
    const fs::path path = folder.path() / ".env";
    std::ofstream(path) << "A=1\n";
    for (const auto& [mode, warns] : {std::pair(0600, false), {0640, false}, {0644, true}, {0602, true}}) {
        fs::permissions(path, static_cast<fs::perms>(mode));
        const auto file = readEnvFile(path);
        ASSERT_TRUE(file.ok()) << file.error().message;
        EXPECT_EQ(file->variables.at("A"), "1");
        EXPECT_EQ(file->warnings.size(), warns ? 1u : 0u) << std::oct << mode;
        for (const auto& warning : file->warnings)
            EXPECT_THAT(warning, HasSubstr("chmod 600 " + path.string()));
    }
    EXPECT_THAT(readEnvFile(folder.path()).error().message, HasSubstr(folder.path().string()));
    EXPECT_THAT(readEnvFile(folder.path() / "none").error().message, HasSubstr("none"));
}

}  // namespace
}  // namespace stepper::config
