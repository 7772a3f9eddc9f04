// stepper VERB [OPTIONS]. The way of a request: serve -> api -> engine -> plugin session over transport.
#include <csignal>
#include <cstdio>
#include <map>

#include <fcntl.h>
#include <unistd.h>

#include "core/app/verbs.h"
#include "core/base/text.h"
#include "core/base/version.h"

namespace {

constexpr const char* kHelp =
    "stepper: walks a chain of AI providers until one answers\n"
    "\n"
    "  stepper serve [--config FILE] [--listen HOST:PORT] [--recover]\n"
    "                                                       answer HTTP requests; --recover saves what can "
    "be\n"
    "                                                       read of a damaged store first\n"
    "  stepper check [--config FILE]                        validate the configuration; exit 0 or 78\n"
    "  stepper generate [--config FILE] [--json] PROMPT|-   one request, no server; --json wants and prints "
    "JSON\n"
    "  stepper generate --async PROMPT|-                    queue it at a running server, print the job's "
    "id\n"
    "  stepper jobs list [STATE]                            jobs of a running server, newest first\n"
    "  stepper jobs show|retry ID                           one job; run a finished one again\n"
    "  stepper jobs cancel|purge ID...                      end live jobs; remove finished ones (or all of "
    "a\n"
    "                                                       state: completed, failed, cancelled)\n"
    "  stepper plugin new NAME [DIR]                        begin a plugin of your own, in DIR or ./NAME\n"
    "  stepper plugin test SO [TRANSCRIPT...] [--seconds N] [--seed N]\n"
    "                                                       run its transcripts (else those beside and "
    "inside "
    "it),\n"
    "                                                       check the ABI's rules, fuzz it for N seconds "
    "(1)\n"
    "  stepper plugin try SO [--config FILE] [--provider NAME] PROMPT|-\n"
    "  stepper plugin try SO --set KEY=VALUE... PROMPT|-    one prompt through that file, over the network\n"
    "  stepper plugin list [FOLDER]                         plugins of a running server, else of a folder, "
    "and\n"
    "                                                       files that are none and why\n"
    "  stepper plugin inspect SO                            what a plugin says of itself\n"
    "  stepper plugin probe SO                              try a plugin in a child process\n"
    "  stepper version\n"
    "\n"
    "jobs, plugin list and --async talk to the server at --server URL, or where the configuration says it "
    "listens.\n"
    "Without --config (or STEPPER_CONFIG) the built-in provider catalogue serves; a provider is on when its "
    "key is\n"
    "in the environment, such as GEMINI_API_KEY.\n";

// Every thread inherits this. Writes to gone peers return errors; serve waits for the signals that end it in
// one place, while the other verbs end by them as everybody expects.
void blockSignals(bool serving) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    if (serving)
        for (const int s : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, s);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

// A file or socket of ours must not become what a closed standard stream was: output would be written to it.
void fillStandardStreams() {
    int fd = -1;
    do fd = ::open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) ::close(fd);
}

int version(const stepper::app::Options&) {
    std::printf("stepper %.*s\n", static_cast<int>(stepper::kVersion.size()), stepper::kVersion.data());
    return stepper::app::kExitOk;
}

int help(const stepper::app::Options&) {
    std::fputs(kHelp, stdout);
    return stepper::app::kExitOk;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace stepper;
    fillStandardStreams();
    const std::map<std::string, int (*)(const app::Options&)> verbs = {{"serve", app::serve},
                                                                       {"check", app::check},
                                                                       {"generate", app::generate},
                                                                       {"jobs", app::jobsVerb},
                                                                       {"plugin", app::pluginVerb},
                                                                       {"version", version},
                                                                       {"--version", version},
                                                                       {"help", help},
                                                                       {"--help", help},
                                                                       {"-h", help}};
    if (argc < 2) {
        std::fputs(kHelp, stderr);
        return app::kExitUsage;
    }
    const auto verb = verbs.find(argv[1]);
    if (verb == verbs.end()) {
        const auto near =
            nearest(argv[1], {"serve", "check", "generate", "jobs", "plugin", "version", "help"});
        std::fprintf(stderr, "stepper: unknown verb '%s'%s\n", argv[1],
                     near ? ("; did you mean '" + *near + "'?").c_str() : "; see stepper help");
        return app::kExitUsage;
    }
    const auto options = app::parseOptions({argv + 2, argv + argc});
    if (!options) {
        std::fprintf(stderr, "stepper: %s\n", options.error().message.c_str());
        return app::kExitUsage;
    }
    blockSignals(verb->first == "serve");
    return verb->second(*options);
}
