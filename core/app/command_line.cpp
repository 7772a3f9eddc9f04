#include "core/app/command_line.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <CLI/CLI.hpp>

#include "core/app/verbs.h"
#include "core/base/text.h"
#include "core/base/units.h"
#include "core/base/version.h"

namespace stepper::app {
namespace {

constexpr const char* kNotes =
    "`stepper help VERB` or `stepper VERB --help` tells more. After -- every word is a word, even one that "
    "begins\n"
    "with -. Without a configuration file (or STEPPER_CONFIG) the built-in provider catalogue serves; a "
    "provider is\n"
    "on when its key is in the environment, such as GEMINI_API_KEY.\n";

constexpr std::array kStates = {"queued", "active", "completed", "fallback", "failed", "cancelled"};

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (size_t i = 0; i < words.size(); ++i)
        out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
    return out;
}

std::string orNearest(const std::string& word, const std::vector<std::string>& known) {
    const auto near = nearest(word, known);
    return near ? "; did you mean " + *near + "?" : "";
}

// An unset variable in a script must not turn into another meaning.
std::string notEmpty(const std::string& value) { return value.empty() ? "is empty" : ""; }

std::string aState(const std::string& value) {
    const std::vector<std::string> states(kStates.begin(), kStates.end());
    if (std::find(states.begin(), states.end(), value) != states.end()) return "";
    return "expected " + joined(states) + ", not '" + value + "'" + orNearest(value, states);
}

std::string anId(const std::string& value) {
    const bool sound =
        std::all_of(value.begin(), value.end(), [](unsigned char c) { return std::isalnum(c) || c == '-'; });
    return sound && !value.empty() ? "" : "'" + value + "' is no job's id";
}

std::string aTemperature(const std::string& value) {
    double n = -1;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), n);
    const bool sound = error == std::errc{} && end == value.data() + value.size() && n >= 0 && n <= 2;
    return sound ? "" : "expected a number from 0 to 2, not '" + value + "'";
}

// "HOST:PORT" means http.
std::optional<std::string> serverUrl(std::string text) {
    if (text.find("://") == std::string::npos) {
        if (!parseEndpoint(text)) return std::nullopt;
        text = "http://" + text;
    }
    const std::string scheme = lower(text.substr(0, text.find("://")));
    while (text.ends_with('/')) text.pop_back();
    const bool plain = text.find_first_of("@?# ") == std::string::npos;
    if ((scheme != "http" && scheme != "https") || hostOf(text).empty() || !plain) return std::nullopt;
    return text;
}

class Grammar {
public:
    Grammar() {
        root_.name("stepper");
        root_.require_subcommand(1);
        root_.set_help_flag("-h,--help", "Tell about the verb");
        root_.set_version_flag("--version", versionLine(), "Tell the version");
        root_.footer(kNotes);
        auto labels = root_.get_formatter();
        labels->label("SUBCOMMAND", "VERB");
        labels->column_width(26);
        addVerbs();
        addJobs();
        addProvider();
        addPlugin();
    }

    std::variant<Run, Say> read(std::vector<std::string> words) {
        if (words.empty()) return Say{root_.help(), kExitUsage};
        // `help jobs list` is `jobs list --help`.
        if (words.front() == "help") {
            words.erase(words.begin());
            words.emplace_back("--help");
        }
        if (auto problem = emptyValue(words); !problem.empty()) return complaint(root_, problem);
        std::reverse(words.begin(), words.end());  // as CLI11 takes them
        try {
            root_.parse(words);
        } catch (const CLI::CallForHelp&) {
            const auto unknown_verb = verbsOf(deepest()).empty() ? "" : unknownWord();
            if (!unknown_verb.empty()) return complaint(deepest(), unknown_verb);
            return Say{root_.help(), kExitOk};
        } catch (const CLI::CallForVersion&) {
            if (const auto problem = unknownWord(); !problem.empty()) return complaint(deepest(), problem);
            return Say{versionLine() + "\n", kExitOk};
        } catch (const CLI::ParseError& e) {
            return complaint(deepest(), problemOf(e));
        }
        if (!file_.empty() && options_.config)
            return complaint(deepest(), "FILE and --config both name a configuration");
        if (!options_.ids.empty() && !options_.state.empty())
            return complaint(deepest(), "ID and --" + options_.state + " both say which jobs");
        if (!file_.empty()) options_.config = file_;
        if (!chosen_) return Say{versionLine() + "\n", kExitOk};
        return Run{chosen_, options_};
    }

private:
    static std::string versionLine() { return "stepper " + std::string(kVersion); }

    CLI::App& verb(CLI::App& in, const char* name, const char* about, Verb run) {
        CLI::App* app = in.add_subcommand(name, about);
        app->group("Verbs");
        if (run) app->callback([this, run] { chosen_ = run; });  // a parent's comes after its children's
        return *app;
    }

    CLI::Option& word(CLI::App& app, const char* name, std::string& to, const char* about) {
        return *app.add_option(name, to, about)->type_name("")->check(notEmpty);
    }

    CLI::Option& words(CLI::App& app, const char* name, std::vector<std::string>& to, const char* about) {
        return *app.add_option(name, to, about)->type_name("")->check(notEmpty);
    }

    void takesConfig(CLI::App& app) {
        app.add_option("-c,--config", options_.config, "The configuration file")
            ->type_name("FILE")
            ->check(notEmpty);
        app.add_option(
               "--env-file", options_.env_file,
               "Variables that the environment lacks; unless given, .env beside the configuration file")
            ->type_name("PATH")
            ->check(notEmpty);
    }

    void takesFile(CLI::App& app) {
        word(app, "FILE", file_, "The configuration file, as with --config");
        takesConfig(app);
    }

    void takesServer(CLI::App& app) {
        takesConfig(app);
        const auto read = [this](const std::string& text) {
            options_.server = serverUrl(text);
            if (!options_.server)
                throw CLI::ValidationError("--server",
                                           "expected http://HOST:PORT, without user name, ? or #");
        };
        app.add_option_function<std::string>(
               "--server", read, "The running server; otherwise where the configuration says that it listens")
            ->type_name("URL");
        app.add_option_function<std::string>(
               "--key", [this](const std::string& key) { options_.key = config::Secret(key); },
               "The key to send, instead of the configured one; in STEPPER_API_KEY or STEPPER_ADMIN_KEY it "
               "is "
               "hidden from other users")
            ->type_name("KEY")
            ->check(notEmpty);
    }

    void takesJson(CLI::App& app, const char* about) { app.add_flag("--json", options_.json, about); }

    void takesPrompt(CLI::App& app) {
        app.add_option("PROMPT", options_.prompt, "The prompt; - reads it from standard input")
            ->type_name("")
            ->required();
    }

    void takesSo(CLI::App& app) {
        word(app, "SO", options_.so, "The plugin's file, such as build/my-provider.so").required();
    }

    void addVerbs() {
        CLI::App& serve_app = verb(root_, "serve", "Answer HTTP requests", serve);
        takesFile(serve_app);
        const auto listen = [this](const std::string& text) {
            options_.listen = parseEndpoint(text);
            if (!options_.listen)
                throw CLI::ValidationError(
                    "--listen",
                    "expected HOST:PORT such as 127.0.0.1:3001 or [::1]:3001, not '" + text + "'");
        };
        serve_app
            .add_option_function<std::string>(
                "--listen", listen,
                "Where to listen, instead of where the configuration says; port 0: "
                "any free one")
            ->type_name("HOST:PORT");
        serve_app.add_flag("--no-http", options_.no_http, "Run the queued jobs, and listen nowhere")
            ->excludes("--listen");
        serve_app.add_flag("--recover", options_.recover, "Save first what can be read of a damaged store");

        takesFile(verb(root_, "check", "Validate the configuration: exit status 0, or 78 and what is wrong",
                       check));

        CLI::App& generate_app = verb(root_, "generate", "One request, without a server", generate);
        takesPrompt(generate_app);
        takesServer(generate_app);
        takesJson(generate_app, "Want JSON, and print the whole answer as JSON");
        generate_app
            .add_option("--system", options_.system, "What the model is to be told before the prompt")
            ->type_name("TEXT")
            ->check(notEmpty);
        generate_app.add_option("--model", options_.model, "One of the models that the providers list")
            ->type_name("NAME")
            ->check(notEmpty);
        generate_app.add_option("--temperature", options_.temperature, "From 0, the likeliest words, to 2")
            ->type_name("N")
            ->check(aTemperature);
        generate_app.add_flag("--async", options_.async,
                              "Queue it at a running server and print the job's id");

        CLI::App& reload_app = verb(root_, "reload", "Have a running server look at its files now", reload);
        takesServer(reload_app);
        takesJson(reload_app, "As the server has it");

        CLI::App& config_app =
            verb(root_, "config", "What the configuration comes to, as JSON, secrets masked", showConfig);
        takesFile(config_app);
        CLI::Option* defaults = config_app.add_flag("--defaults", options_.defaults,
                                                    "Instead: a stepper.yaml with every default, explained");
        config_app.add_flag("--reference", options_.reference, "Instead: the tables of docs/settings.md")
            ->excludes(defaults);

        verb(root_, "version", "Tell the version", nullptr);
        verb(root_, "help", "Tell about a verb", nullptr);
    }

    void addJobs() {
        CLI::App& jobs =
            verb(root_, "jobs", "Jobs of a running server: list, show, retry, cancel, purge", nullptr);
        jobs.require_subcommand(1);
        CLI::App& list = verb(jobs, "list", "All jobs, or those in a state; newest first", jobsList);
        word(list, "STATE", options_.state, "queued, active, completed, failed or cancelled").check(aState);
        takesJson(list, "As the server has it");
        takesServer(list);

        const auto withIds = [this](CLI::App& app, const char* about, int most) {
            words(app, "ID", options_.ids, about).required()->expected(1, most)->check(anId);
            takesServer(app);
        };
        CLI::App& show = verb(jobs, "show", "One job, as JSON", jobsShow);
        withIds(show, "The job", 1);
        takesJson(show, "What it does anyway");
        CLI::App& again =
            verb(jobs, "retry", "Run finished jobs again; of a batch, its failed items", jobsRetry);
        words(again, "ID", options_.ids, "The jobs").expected(1, kMany)->check(anId);
        for (const char* state : {"failed", "fallback", "cancelled"})
            again.add_flag_callback(
                "--" + std::string(state), [this, state] { options_.state = state; },
                "Instead: all that are " + std::string(state) + " and were not run again");
        word(again, "--since", options_.since,
             "Of those, which ended no longer ago (2h), or after that moment");
        word(again, "--tenant", options_.tenant, "Of those, which are this tenant's");
        takesServer(again);
        withIds(verb(jobs, "cancel", "End live jobs", jobsCancel), "The jobs", kMany);
        withIds(verb(jobs, "purge", "Remove finished jobs", jobsPurge),
                "The jobs; or completed, failed or cancelled for all of these", kMany);
    }

    void addProvider() {
        CLI::App& provider = verb(root_, "provider", "Providers of the configuration: test", nullptr);
        provider.require_subcommand(1);
        CLI::App& tested = verb(
            provider, "test", "Are their keys good, at no cost; exit status 1 when one is not", providerTest);
        word(tested, "NAME", options_.name, "The provider; all that are on unless given");
        takesConfig(tested);
    }

    void addPlugin() {
        CLI::App& plugin = verb(root_, "plugin", "Plugins: new, test, try, list, inspect, probe", nullptr);
        plugin.require_subcommand(1);

        CLI::App& made = verb(plugin, "new", "Begin a plugin of your own", pluginNew);
        made.add_option("NAME", options_.name, "Its name: a-z, 0-9 and -")->type_name("")->required();
        word(made, "DIR", options_.folder, "Where; ./NAME unless given");

        CLI::App& tested =
            verb(plugin, "test", "Run its transcripts, check the ABI's rules, fuzz it", pluginTest);
        takesSo(tested);
        words(tested, "TRANSCRIPT", options_.transcripts, "Its transcripts; else those beside and inside it");
        const auto seconds = [this](const std::string& text) {
            options_.fuzzing = parseDuration(text);
            if (!options_.fuzzing)
                throw CLI::ValidationError("--seconds", "expected a number, not '" + text + "'");
        };
        tested
            .add_option_function<std::string>("--seconds", seconds,
                                              "How long to fuzz it: 1 unless given, 0 not at all")
            ->type_name("N");
        tested.add_option("--seed", options_.seed, "What a run of the fuzzer is repeated with")
            ->type_name("N");

        CLI::App& tried = verb(plugin, "try", "One prompt through that file, over the network", pluginTry);
        takesSo(tried);
        takesPrompt(tried);
        takesConfig(tried);
        tried.add_option("--provider", options_.provider, "Which provider of the configuration to try it as")
            ->type_name("NAME")
            ->check(notEmpty);
        tried
            .add_option("--set", options_.set, "A setting as in providers.yaml, in place of a configuration")
            ->type_name("KEY=VALUE")
            ->allow_extra_args(false);

        CLI::App& list = verb(plugin, "list", "Plugins of a running server, else of a folder", pluginList);
        word(list, "FOLDER", options_.folder, "The folder to look at");
        takesJson(list, "As the server has it");
        takesServer(list);

        takesSo(verb(plugin, "inspect", "What a plugin says of itself", pluginInspect));
        CLI::App& probe = verb(plugin, "probe", "Try a plugin in a child process", pluginProbe);
        CLI::App& host = verb(plugin, "host", "", pluginHost);
        host.group("");
        for (CLI::App* app : {&probe, &host}) {
            takesSo(*app);
            app->add_flag("--child", options_.child)->group("");
        }
    }

    // "--name=" would take the next word for its value.
    static std::string emptyValue(const std::vector<std::string>& words) {
        for (const auto& w : words) {
            if (w == "--") break;
            if (w.starts_with("--") && w.find('=') == w.size() - 1) return w + " is empty";
        }
        return "";
    }

    CLI::App& deepest() {
        CLI::App* app = &root_;
        while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
        return *app;
    }

    static std::string pathOf(const CLI::App& app) {
        const CLI::App* parent = app.get_parent();
        return parent ? pathOf(*parent) + " " + app.get_name() : app.get_name();
    }

    static Say complaint(const CLI::App& app, const std::string& problem) {
        const std::string path = pathOf(app);
        return {path + ": " + problem + "; see `" + path + " --help`\n", kExitUsage};
    }

    // What nothing was made of comes first: the rest may follow from it.
    std::string problemOf(const CLI::ParseError& e) {
        if (auto problem = unknownWord(); !problem.empty()) return problem;
        const auto verbs = verbsOf(deepest());
        return verbs.empty() ? e.what() : "expected " + joined(verbs);
    }

    std::string unknownWord() {
        const CLI::App& app = deepest();
        for (const CLI::App* at = &app; at; at = at->get_parent())
            for (const auto& word : at->remaining())
                if (word != "--") return unknown(app, word);
        return "";
    }

    static std::vector<std::string> verbsOf(const CLI::App& app) {
        std::vector<std::string> out;
        for (const CLI::App* verb :
             app.get_subcommands([](const CLI::App* a) { return !a->get_group().empty(); }))
            out.push_back(verb->get_name());
        return out;
    }

    static std::vector<std::string> optionsOf(const CLI::App& app) {
        std::vector<std::string> out;
        for (const CLI::Option* option : app.get_options()) {
            if (option->get_group().empty()) continue;
            for (const auto& name : option->get_lnames()) out.push_back("--" + name);
            for (const auto& name : option->get_snames()) out.push_back("-" + name);
        }
        return out;
    }

    static std::string unknown(const CLI::App& app, const std::string& word) {
        if (word.size() > 1 && word.front() == '-') {
            const std::string name = word.substr(0, word.find('='));
            const std::string hint = orNearest(name, optionsOf(app));
            return "unknown option " + name + (hint.empty() ? " (after -- it would be a word)" : hint);
        }
        const auto verbs = verbsOf(app);
        if (verbs.empty()) {
            const bool prompt = app.get_option_no_throw("PROMPT") != nullptr;
            return "unexpected word '" + word + "'" +
                   (prompt ? "; a prompt of several words goes in quotes" : "");
        }
        const std::string hint = orNearest(word, verbs);
        return "unknown verb '" + word + "'" + (hint.empty() ? "; expected " + joined(verbs) : hint);
    }

    static constexpr int kMany = CLI::detail::expected_max_vector_size;  // its help says "..." for that

    CLI::App root_{"Walks a chain of AI providers until one answers"};
    Options options_;
    std::string file_;
    Verb chosen_ = nullptr;
};

}  // namespace

std::variant<Run, Say> readCommandLine(const std::vector<std::string>& words) {
    return Grammar().read(words);
}

}  // namespace stepper::app
