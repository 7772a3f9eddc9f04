// The processes of the isolation tests: `COPY` is an isolated plugin's own, `COPY REQUEST` a host of one that
// prints the plugin's pid, then steps a session of REQUEST.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/plugin/isolation/remote_instance.h"
#include "core/plugin/isolation/remote_main.h"
#include "tests/unit/plugin/drive.h"

int main(int argc, char** argv) {
    using namespace stepper::plugin;
    if (argc == 2) return remoteMain(argv[1]);
    if (argc != 3) return 2;
    RemoteOptions options;
    options.program = argv[0];
    options.arguments = {};
    options.step_timeout = stepper::milliseconds{1'500};
    const auto instance = createRemote(PrivateCopy(argv[1]), "wobbly", "", options);
    if (!instance) return 1;
    std::printf("%s\n", said(**instance, "pid").c_str());
    std::fflush(stdout);
    said(**instance, argv[2]);
    return 0;
}
