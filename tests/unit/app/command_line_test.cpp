// What command lines mean. Right values after CLIUtils/CLI11#23, #1022 and #1144 (a word that is also a
// verb's name), #493 and #636 (a repeated option that takes the words behind it), clap-rs/clap#151 and
// dlang/phobos#10791 (an empty value), freedomofpress/securedrop-workstation#1071 (half an option),
// rustyrazorblade/easy-db-lab#919, microsoft/MLOS#112 and DeusData/codebase-memory-mcp#997 (what is ignored),
// sharkdp/fd#737.
#include "core/app/command_line.h"

#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/app/verbs.h"

namespace stepper::app {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Words = std::vector<std::string>;

Options taken(Verb verb, const Words& words) {
    const auto line = readCommandLine(words);
    const auto* say = std::get_if<Say>(&line);
    EXPECT_EQ(say, nullptr) << say->text;
    if (say) return {};
    EXPECT_EQ(std::get<Run>(line).verb, verb);
    return std::get<Run>(line).options;
}

std::string refused(const Words& words) {
    const auto line = readCommandLine(words);
    const auto* say = std::get_if<Say>(&line);
    EXPECT_NE(say, nullptr) << testing::PrintToString(words) << " is taken";
    if (!say) return "";
    EXPECT_EQ(say->status, kExitUsage) << say->text;
    return say->text;
}

std::string told(const Words& words) {
    const auto line = readCommandLine(words);
    const auto* say = std::get_if<Say>(&line);
    EXPECT_TRUE(say && say->status == kExitOk) << testing::PrintToString(words);
    return say ? say->text : "";
}

TEST(CommandLine, AConfigurationIsNamedInAnyOfTheseWays) {
    for (const Verb verb : {serve, check}) {
        const std::string name = verb == serve ? "serve" : "check";
        for (const Words& rest : {Words{"a.yaml"},
                                  {"--config", "a.yaml"},
                                  {"--config=a.yaml"},
                                  {"-c", "a.yaml"},
                                  {"-ca.yaml"},
                                  {"--", "a.yaml"}}) {
            Words words = {name};
            words.insert(words.end(), rest.begin(), rest.end());
            EXPECT_EQ(taken(verb, words).config, "a.yaml") << testing::PrintToString(words);
        }
        EXPECT_EQ(taken(verb, {name}).config, std::nullopt);
        EXPECT_EQ(taken(verb, {name, "--", "-a.yaml"}).config, "-a.yaml");
    }
}

TEST(CommandLine, EveryDocumentedSpelling) {
    const Options s = taken(serve, {"serve", "--config", "a", "--listen", "[::1]:0", "--recover"});
    EXPECT_EQ(s.listen, (Endpoint{"::1", 0}));
    EXPECT_TRUE(s.recover);
    for (const auto& [verb, words] :
         std::vector<std::pair<Verb, Words>>{{serve, {"serve"}},
                                             {check, {"check"}},
                                             {showConfig, {"config"}},
                                             {generate, {"generate", "what?"}},
                                             {reload, {"reload"}},
                                             {jobsList, {"jobs", "list"}},
                                             {jobsCancel, {"jobs", "cancel", "a"}},
                                             {pluginList, {"plugin", "list"}},
                                             {pluginTry, {"plugin", "try", "a.so", "x"}}}) {
        Words with = words;
        with.insert(with.end(), {"--env-file", "a.env"});
        EXPECT_EQ(taken(verb, words).env_file, std::nullopt);
        EXPECT_EQ(taken(verb, with).env_file, "a.env");
    }
    EXPECT_TRUE(taken(showConfig, {"config", "--defaults"}).defaults);
    EXPECT_TRUE(taken(showConfig, {"config", "--reference"}).reference);
    EXPECT_EQ(taken(generate, {"generate", "--config", "a", "--json", "-"}).prompt, "-");
    const Options g = taken(
        generate, {"generate", "--system", "Be brief.", "--model", "m-1", "--temperature", "0.5", "what?"});
    EXPECT_EQ(g.system, "Be brief.");
    EXPECT_EQ(g.model, "m-1");
    EXPECT_EQ(g.temperature, 0.5);
    EXPECT_TRUE(taken(generate, {"generate", "--async", "x", "--server", "http://h:1/"}).async);
    EXPECT_EQ(taken(jobsList, {"jobs", "list", "failed", "--json"}).state, "failed");
    EXPECT_THAT(taken(jobsShow, {"jobs", "show", "a", "--json"}).ids, ElementsAre("a"));
    EXPECT_THAT(taken(jobsRetry, {"jobs", "retry", "a"}).ids, ElementsAre("a"));
    EXPECT_THAT(taken(jobsCancel, {"jobs", "cancel", "a", "b", "--server", "http://h:1", "c"}).ids,
                ElementsAre("a", "b", "c"));
    EXPECT_THAT(taken(jobsPurge, {"jobs", "purge", "completed"}).ids, ElementsAre("completed"));
    EXPECT_EQ(taken(pluginNew, {"plugin", "new", "n", "d"}).folder, "d");
    const Options t =
        taken(pluginTest, {"plugin", "test", "a.so", "b", "c", "--seconds", "0.5", "--seed", "12"});
    EXPECT_EQ(t.so, "a.so");
    EXPECT_THAT(t.transcripts, ElementsAre("b", "c"));
    EXPECT_EQ(t.fuzzing, milliseconds(500));
    EXPECT_EQ(t.seed, 12u);
    const Options y =
        taken(pluginTry, {"plugin", "try", "a.so", "--set", "m=1", "--set", "o.l=[1,2]", "what?"});
    EXPECT_THAT(y.set, ElementsAre("m=1", "o.l=[1,2]"));
    EXPECT_EQ(y.prompt, "what?");
    EXPECT_EQ(taken(pluginList, {"plugin", "list", "d"}).folder, "d");
    EXPECT_EQ(taken(pluginInspect, {"plugin", "inspect", "a.so"}).so, "a.so");
    EXPECT_TRUE(taken(pluginProbe, {"plugin", "probe", "--child", "/a b/c.so"}).child);
    EXPECT_TRUE(taken(pluginHost, {"plugin", "host", "--child", "/a.so"}).child);
    for (const Words& words : {Words{"version"}, {"--version"}})
        EXPECT_THAT(told(words), StartsWith("stepper "));
}

// The verbs that a help lists, one below the other.
Words verbsIn(const std::string& help) {
    Words out;
    std::istringstream lines(help.substr(std::min(help.find("\nVerbs:\n"), help.size())));
    std::string line;
    while (std::getline(lines, line))
        if (line.starts_with("  ") && line[2] != ' ') out.push_back(line.substr(2, line.find(' ', 2) - 2));
    return out;
}

void expectHelpBelow(const Words& path, std::set<std::string>& seen) {
    Words asked = path, asking = {"help"};
    asked.emplace_back("--help");
    asking.insert(asking.end(), path.begin(), path.end());
    const std::string help = told(asked);
    std::string name = "stepper";
    for (const auto& verb : path) name += " " + verb;
    seen.insert(name);
    if (path == Words{"help"}) return;  // its help is that of the program
    EXPECT_THAT(help, HasSubstr("Usage: " + name + " "));
    EXPECT_EQ(told(asking), help) << name;
    for (const auto& verb : verbsIn(help)) {
        Words below = path;
        below.push_back(verb);
        expectHelpBelow(below, seen);
    }
}

TEST(CommandLine, NoVerbThatIsListedIsWithoutHelp) {
    std::set<std::string> seen;
    expectHelpBelow({}, seen);
    EXPECT_EQ(seen.size(), 23u) << testing::PrintToString(seen);
    for (const auto* one : {"stepper serve", "stepper jobs purge", "stepper plugin try", "stepper version"})
        EXPECT_TRUE(seen.contains(one)) << one;
    EXPECT_THAT(told({"help", "generate"}),
                AllOf(HasSubstr("--system TEXT"), HasSubstr("--model NAME"), HasSubstr("--temperature N ")));
    EXPECT_THAT(told({"help", "jobs", "purge"}), HasSubstr("[OPTIONS] ID...\n"));
}

TEST(CommandLine, AnyTextIsAPrompt) {
    for (const char* prompt :
         {"check", "help", "jobs", "[a, b]", "{}", "a=b", "-", "%%", "\"quoted\"", "two\nlines", " "})
        EXPECT_EQ(taken(generate, {"generate", prompt}).prompt, prompt);
    EXPECT_EQ(taken(generate, {"generate", "--", "--json"}).prompt, "--json");
    EXPECT_EQ(taken(generate, {"generate", "-1 + 2?"}).prompt, "-1 + 2?");
    EXPECT_EQ(taken(generate, {"generate", "--json", "--", "-why?"}).prompt, "-why?");
}

TEST(CommandLine, WhatMeansNothingIsRefused) {
    const std::pair<Words, const char*> cases[] = {
        {{"serv"}, "unknown verb 'serv'; did you mean serve?"},
        {{"frobnicate"}, "unknown verb 'frobnicate'; expected serve, check, generate"},
        {{"check", "--confg", "x"}, "stepper check: unknown option --confg; did you mean --config?"},
        {{"check", "--confg=x"}, "unknown option --confg; did you mean --config?"},
        {{"check", "--conf", "x"}, "unknown option --conf; did you mean --config?"},
        {{"serve", "--reco"}, "unknown option --reco"},
        {{"check", "--listen", "h:1"}, "unknown option --listen"},
        {{"serve", "--json"}, "unknown option --json"},
        {{"generate", "x", "--temperature", "3"}, "--temperature: expected a number from 0 to 2, not '3'"},
        {{"generate", "x", "--temperature", "nan"}, "expected a number from 0 to 2"},
        {{"generate", "x", "--system", ""}, "is empty"},
        {{"serve", "-x"}, "unknown option -x"},
        {{"check", "a.yaml", "b.yaml"}, "unexpected word 'b.yaml'"},
        {{"check", "a.yaml", "-c", "b.yaml"}, "both name a configuration"},
        {{"check", "-c", "a.yaml", "-c", "b.yaml"}, "--config"},
        {{"check", "-c"}, "--config"},
        {{"check", ""}, "is empty"},
        {{"check", "-c", ""}, "is empty"},
        {{"serve", "--config=", "--listen", "h:1"}, "--config= is empty"},
        {{"serve", "--listen", "::1:80"}, "expected HOST:PORT"},
        {{"serve", "--listen", "3001"}, "expected HOST:PORT"},
        {{"generate"}, "PROMPT"},
        {{"generate", "Name", "three"}, "unexpected word 'three'; a prompt of several words goes in quotes"},
        {{"generate", "-why?"}, "unknown option -why? (after -- it would be a word)"},
        {{"version", "now"}, "unexpected word 'now'"},
        {{"jobs"}, "stepper jobs: expected list, show, retry, cancel or purge"},
        {{"jobs", "lst"}, "stepper jobs: unknown verb 'lst'; did you mean list?"},
        {{"jobs", "list", "faild"}, "did you mean failed?"},
        {{"jobs", "list", "failed", "completed"}, "unexpected word 'completed'"},
        {{"jobs", "show"}, "ID"},
        {{"jobs", "show", "a", "b"}, "received 2"},
        {{"jobs", "cancel"}, "ID"},
        {{"jobs", "list", "-server", "http://h:1"}, "did you mean --server?"},
        {{"jobs", "list", "--server", "::1"}, "expected http://HOST:PORT"},
        {{"jobs", "list", "--server", "ftp://h:1"}, "expected http://HOST:PORT"},
        {{"jobs", "list", "--server", "http://h:1/?x=1"}, "without user name, ? or #"},
        {{"jobs", "show", "?limit=1"}, "is no job's id"},
        {{"jobs", "cancel", "a", "../providers"}, "is no job's id"},
        {{"--version", "garbage"}, "garbage"},
        {{"plugin"}, "stepper plugin: expected new, test, try, list, inspect or probe"},
        {{"plugin", "probe"}, "SO"},
        {{"plugin", "inspect", "a", "b"}, "unexpected word 'b'"},
        {{"plugin", "test", "a.so", "--seed", "x1"}, "--seed"},
        {{"plugin", "test", "a.so", "--seconds", "soon"}, "expected a number, not 'soon'"},
        {{"help", "frobnicate"}, "unknown verb 'frobnicate'"},
    };
    for (const auto& [words, problem] : cases)
        EXPECT_THAT(refused(words), AllOf(StartsWith("stepper"), HasSubstr(problem), HasSubstr("--help`\n")))
            << testing::PrintToString(words);
    EXPECT_THAT(refused({}), HasSubstr("serve"));
}

TEST(CommandLine, EveryVerbTellsAboutItself) {
    const Words verbs[] = {
        {"serve"},          {"check"},          {"generate"},        {"jobs"},
        {"plugin"},         {"jobs", "list"},   {"jobs", "show"},    {"jobs", "retry"},
        {"jobs", "cancel"}, {"jobs", "purge"},  {"plugin", "new"},   {"plugin", "test"},
        {"plugin", "try"},  {"plugin", "list"}, {"plugin", "probe"}, {"plugin", "inspect"}};
    for (const Words& verb : verbs) {
        std::string path = "stepper";
        for (const auto& word : verb) path += " " + word;
        Words with_short = verb, with_long = verb, asked = {"help"};
        with_short.emplace_back("-h");
        with_long.emplace_back("--help");
        asked.insert(asked.end(), verb.begin(), verb.end());
        const std::string text = told(with_long);
        EXPECT_THAT(text, HasSubstr("Usage: " + path));
        EXPECT_EQ(told(with_short), text);
        EXPECT_EQ(told(asked), text);
    }
    for (const Words& words : {Words{"help"}, {"--help"}, {"-h"}})
        EXPECT_THAT(told(words), AllOf(HasSubstr("serve"), HasSubstr("generate"), HasSubstr("GEMINI_API_KEY"),
                                       testing::Not(HasSubstr("host"))));
    EXPECT_THAT(told({"serve", "-h", "--config", "absent.yaml"}), HasSubstr("--listen"));
}

TEST(CommandLine, AServerIsAUrl) {
    const std::pair<const char*, const char*> cases[] = {{"http://h:1/", "http://h:1"},
                                                         {"https://h/stepper", "https://h/stepper"},
                                                         {"h:3001", "http://h:3001"},
                                                         {"[::1]:3001", "http://[::1]:3001"},
                                                         {"http://[::1]:3001", "http://[::1]:3001"}};
    for (const auto& [text, url] : cases)
        EXPECT_EQ(taken(jobsList, {"jobs", "list", "--server", text}).server, url) << text;
}

TEST(CommandLine, WhatTalksToAServerMayBeGivenAKey) {
    EXPECT_EQ(taken(reload, {"reload", "--key", "k"}).key->reveal(), "k");
    EXPECT_EQ(taken(jobsList, {"jobs", "list", "--key=k"}).key->reveal(), "k");
    EXPECT_EQ(taken(pluginList, {"plugin", "list"}).key, std::nullopt);
    EXPECT_THAT(refused({"reload", "--key", ""}), HasSubstr("--key"));
    EXPECT_THAT(refused({"serve", "--key", "k"}), HasSubstr("--key"));
}

}  // namespace
}  // namespace stepper::app
