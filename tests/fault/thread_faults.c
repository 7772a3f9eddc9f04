// Preloaded into a server: the system refuses it threads while the file exists that NO_THREADS names.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) {
    const char* path = getenv("NO_THREADS");
    if (path && access(path, F_OK) == 0) return EAGAIN;
    return ((__typeof__(&pthread_create))dlsym(RTLD_NEXT, "pthread_create"))(thread, attributes, start,
                                                                             argument);
}
