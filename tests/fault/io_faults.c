// Preloaded into a server: its writes to the database fail on command. IO_FAULTS names a file that says
// which:
//   enospc    nothing can be written: the disk is full
//   eio-sync  what was written cannot be made durable
//   stall     neither writing nor syncing comes back before the word is taken back
//   hang-read nothing that is read comes back before the word is taken back
// Anything else, or no such file, is a healthy disk. Files count whose path contains ".db".
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// By system call, as reading the command must not run into these functions again.
static int commanded(const char* fault) {
    const char* path = getenv("IO_FAULTS");
    char text[16] = {0};
    if (!path) return 0;
    const long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const long n = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    return n > 0 && strncmp(text, fault, strlen(fault)) == 0;
}

static int is_database(int fd) {
    char link[32], path[1024];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return strstr(path, ".db") != NULL;
}

static void stall(int fd, const char* fault) {
    const struct timespec pause = {0, 10 * 1000 * 1000};
    while (is_database(fd) && commanded(fault)) nanosleep(&pause, NULL);
}

static int fails(int fd, const char* fault, int code) {
    const int before = errno;
    stall(fd, "stall");
    const int yes = is_database(fd) && commanded(fault);
    errno = yes ? code : before;
    return yes;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t read(int fd, void* data, size_t size) {
    stall(fd, "hang-read");
    return NEXT(read)(fd, data, size);
}
ssize_t write(int fd, const void* data, size_t size) {
    return fails(fd, "enospc", ENOSPC) ? -1 : NEXT(write)(fd, data, size);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
    return fails(fd, "enospc", ENOSPC) ? -1 : NEXT(pwrite)(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
    return fails(fd, "enospc", ENOSPC) ? -1 : NEXT(pwrite64)(fd, data, size, at);
}
int ftruncate(int fd, off_t size) { return fails(fd, "enospc", ENOSPC) ? -1 : NEXT(ftruncate)(fd, size); }
int ftruncate64(int fd, off64_t size) {
    return fails(fd, "enospc", ENOSPC) ? -1 : NEXT(ftruncate64)(fd, size);
}
int fsync(int fd) { return fails(fd, "eio-sync", EIO) ? -1 : NEXT(fsync)(fd); }
int fdatasync(int fd) { return fails(fd, "eio-sync", EIO) ? -1 : NEXT(fdatasync)(fd); }
