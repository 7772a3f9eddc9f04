// Preloaded into a server: what it allocates by `new` is refused while the file exists that NO_MEMORY names.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

void _ZSt17__throw_bad_allocv(void);

static void refuse_on_command(void) {
    const char* path = getenv("NO_MEMORY");
    if (path && syscall(SYS_access, path, F_OK) == 0) _ZSt17__throw_bad_allocv();
}

void* _Znwm(size_t size) {
    static void* (*next)(size_t);
    if (!next) next = (void* (*)(size_t))dlsym(RTLD_NEXT, "_Znwm");
    refuse_on_command();
    return next(size);
}
