// Preloaded: adds the seconds in the file $WALL_CLOCK_SET_BY to the wall clock, and to no other.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long setBy(void) {
    static __thread int reading;  // stdio may ask for the time itself
    const char* path = getenv("WALL_CLOCK_SET_BY");
    if (reading || !path) return 0;
    reading = 1;
    long seconds = 0;
    FILE* file = fopen(path, "re");
    if (file) {
        if (fscanf(file, "%ld", &seconds) != 1) seconds = 0;
        fclose(file);
    }
    reading = 0;
    return seconds;
}

int clock_gettime(clockid_t id, struct timespec* t) {
    const int result = (int)syscall(SYS_clock_gettime, id, t);
    if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += setBy();
    return result;
}

int gettimeofday(struct timeval* restrict t, void* restrict zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec;
    t->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t* t) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t) *t = now.tv_sec;
    return now.tv_sec;
}
