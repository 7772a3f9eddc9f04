// provider-sim: options, signals and lifetime.
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>

#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>
#include <sys/resource.h>

#include "tools/provider-sim/server.h"

namespace stepper::sim {
namespace {

constexpr const char* kUsage = R"(usage: provider-sim [--listen HOST:PORT] [--script FILE.json]

An HTTP server that speaks the wire formats of AI providers and misbehaves on command.
  --listen HOST:PORT   where to listen, 127.0.0.1:0 (any free port) by default
  --script FILE.json   behaviours to start with: {"instances":{"NAME":{...}}}
  --help               this text
The first line printed is "provider-sim: listening on URL". tools/provider-sim/README.md describes the rest.
)";

struct Options {
    std::string listen = "127.0.0.1:0";
    std::string script;
    bool help = false;
};

Result<Options> parseOptions(int argc, char** argv) {
    Options out;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        if (option == "--help") {
            out.help = true;
            continue;
        }
        if (option != "--listen" && option != "--script")
            return Error{ErrorClass::Config, "unknown option '" + std::string(option) + "', see --help"};
        if (++i == argc) return Error{ErrorClass::Config, std::string(option) + " needs a value, see --help"};
        (option == "--listen" ? out.listen : out.script) = argv[i];
    }
    return out;
}

Result<void> loadScript(const std::string& path, Simulator& simulator) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return Error{ErrorClass::Config, "cannot read " + path};
    std::stringstream text;
    text << file.rdbuf();
    auto behaviours = parseScript(text.str());
    if (!behaviours) return Error{ErrorClass::Config, path + ": " + behaviours.error().message};
    for (auto& [name, behaviour] : *behaviours) simulator.instances().get(name)->set(std::move(behaviour));
    return {};
}

// Every connection is a descriptor; the usual soft limit of 1024 is too low.
void raiseDescriptorLimit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

int fail(const std::string& why) {
    std::fprintf(stderr, "provider-sim: %s\n", why.c_str());
    return 2;
}

int run(const Options& options) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    // Blocked before any thread starts, so that only the wait below receives them.
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    raiseDescriptorLimit();

    const SystemClock clock;
    Simulator simulator(clock);
    if (!options.script.empty())
        if (const auto loaded = loadScript(options.script, simulator); !loaded)
            return fail(loaded.error().message);
    try {
        const Poco::Net::SocketAddress address(options.listen);
        const Server server(simulator, address.host().toString(), address.port());
        std::printf("provider-sim: listening on %s\n", server.url().c_str());
        std::fflush(stdout);
        int received = 0;
        sigwait(&signals, &received);
    } catch (const Poco::Exception& e) {
        return fail("cannot listen on " + options.listen + ": " + e.displayText() +
                    "; --listen HOST:0 takes any free port");
    }
    return 0;
}

}  // namespace
}  // namespace stepper::sim

int main(int argc, char** argv) {
    const auto options = stepper::sim::parseOptions(argc, argv);
    if (!options) return stepper::sim::fail(options.error().message);
    if (options->help) {
        std::fputs(stepper::sim::kUsage, stdout);
        return 0;
    }
    return stepper::sim::run(*options);
}
