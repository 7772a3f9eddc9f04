// The functions that end a process, as plugins see them: this program exports its own, which the dynamic
// linker finds before the C library's. A plugin that calls one ends the process all the same, for its thread
// cannot go on, but never with the status of an orderly end. A system call made by hand passes this by.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <link.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" {
extern const char __executable_start, etext;  // NOLINT(bugprone-reserved-identifier): the linker's
}

namespace {

const pid_t this_process = ::getpid();

[[noreturn]] void leave(int status) {
    for (;;) ::syscall(SYS_exit_group, status);
}

// In a process that it forked, foreign code may end what it likes.
bool isForeign(const void* caller) {
    const char* at = static_cast<const char*>(caller);
    return (at < &__executable_start || at >= &etext) && ::getpid() == this_process;
}

// The status to leave with. Only async-signal-safe calls, for so is _exit itself.
int statusFor(const char* function, int status, const void* caller) {
    if (!isForeign(caller)) return status;
    dl_find_object
        from{};  // unlike dladdr it takes no lock, which code that is being loaded may hold for ever
    const bool is_found = ::_dl_find_object(const_cast<void*>(caller), &from) == 0 && from.dlfo_link_map;
    const char* file = is_found ? from.dlfo_link_map->l_name : "unknown code";
    if (const char* slash = std::strrchr(file, '/')) file = slash + 1;
    ::dprintf(STDERR_FILENO, "stepper: %s called %s(%d), which ends the whole process; a plugin must not\n",
              file, function, status);
    return status == 0 ? EXIT_FAILURE : status;
}

template <class F>
F* original(const char* name) {
    return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

[[gnu::visibility("default")]] void _exit(int status) {
    leave(statusFor("_exit", status, __builtin_return_address(0)));
}

[[gnu::visibility("default")]] void _Exit(int status) noexcept {
    leave(statusFor("_Exit", status, __builtin_return_address(0)));
}

// Without the handlers that were registered: they would run while all other threads go on.
[[gnu::visibility("default")]] void exit(int status) noexcept {
    const void* caller = __builtin_return_address(0);
    if (isForeign(caller)) leave(statusFor("exit", status, caller));
    original<void(int)>("exit")(status);
    leave(status);
}

[[gnu::visibility("default")]] void quick_exit(int status) noexcept {
    const void* caller = __builtin_return_address(0);
    if (isForeign(caller)) leave(statusFor("quick_exit", status, caller));
    original<void(int)>("quick_exit")(status);
    leave(status);
}

}  // extern "C"
