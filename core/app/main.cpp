// stepper VERB [OPTIONS]: what the process needs whatever it does, then the verb.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "core/app/allocator.h"
#include "core/app/command_line.h"
#include "core/app/ending.h"
#include "core/app/verbs.h"

namespace {

// A file or socket of ours must not become what a closed standard stream was: output would be written to it.
// What is printed to a closed standard output fails, as anywhere else.
void fillStandardStreams() {
    constexpr int kModes[] = {O_RDONLY, O_RDONLY, O_WRONLY};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
        if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", kModes[fd]) < 0) return;
}

// What running and ending take is had at the start, or there is none.
int start(const stepper::app::Run& run) {
    try {
        return run.verb(run.options);
    } catch (const std::system_error& e) {
        std::fprintf(stderr, "stepper: cannot start: %s; raise the limits of its processes and open files\n",
                     e.what());
    } catch (const std::bad_alloc&) {
        std::fprintf(stderr, "stepper: cannot start: not enough memory\n");
    }
    return stepper::app::kExitSystem;
}

// An answer that nobody could read is no success. A reader that has left, such as `head`, needs no words.
int closeOutput(int status) {
    const bool failed = std::ferror(stdout) != 0;
    errno = 0;
    if (std::fclose(stdout) == 0 && !failed) return status;
    if (errno != EPIPE)
        std::fprintf(stderr, "stepper: the answer could not be written to standard output%s%s\n",
                     errno ? ": " : "", errno ? std::strerror(errno) : "");
    return status == stepper::app::kExitOk ? stepper::app::kExitOutput : status;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace stepper;
    fillStandardStreams();
    app::giveFreedMemoryBack();
    std::signal(SIGCHLD, SIG_DFL);  // inherited as ignored, it would keep the ends of children from us
    const auto line = app::readCommandLine({argv + std::min(argc, 1), argv + argc});
    const auto* run = std::get_if<app::Run>(&line);
    const bool serving = run && run->verb == app::serve;
    if (serving) {
        app::takeSignals();
        app::reserveLittlePerThread();
        return start(*run);  // prints no answer
    }
    // Writes to gone peers return errors; other signals end a verb as everybody expects.
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    if (run) return closeOutput(run->verb(run->options));
    const auto& say = std::get<app::Say>(line);
    std::fputs(say.text.c_str(), say.status == app::kExitOk ? stdout : stderr);
    return closeOutput(say.status);
}
