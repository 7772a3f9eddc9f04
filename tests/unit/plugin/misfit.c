/* A plugin that answers, and does to its process what its configuration (in create) or its request (in the
 * first step) says: "misdeed=NAME;". What each costs whom is in misfit_test.cpp. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <fenv.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "../../abi/bare_plugin.h"

static void hang(void) {
    for (;;) pause();
}
static void* hang_in_thread(void* unused) {
    hang();
    return unused;
}
static void on_signal(int signal) { (void)signal; }

/* Reads what it must not, so that no compiler knows better. */
static void crash(void) { *(volatile int*)16 = 1; }
static int overflow(volatile int* deeper) {
    volatile int here[4096] = {*deeper};
    if (here[0] < 0) return 0;
    return overflow(here) + here[1];
}

static void lower(int which, rlim_t most) {
    struct rlimit r;
    getrlimit((__rlimit_resource_t)which, &r);
    r.rlim_cur = most;
    setrlimit((__rlimit_resource_t)which, &r);
}

static void arm(int timer) {
    const struct itimerval late = {{0, 0}, {3600, 0}};
    setitimer((__itimer_which_t)timer, &late, NULL);
}

static void posix_timer(void) {
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    timer_t timer;
    timer_create(CLOCK_MONOTONIC, &none, &timer);
}

static void filter_calls(void) {
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {1, &allow};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void put(const char* path, const char* text) {
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) return;
    close(fd);
}

static void daemonize(void) {
    if (fork() != 0) return;
    setsid();
    if (fork() == 0) hang();
    _exit(0);
}

static void hide_command(void) {
    if (fork() != 0) return;
    setsid();
    static char name[] = "sleep", seconds[] = "600";
    char *const words[] = {name, seconds, NULL}, *const nothing[] = {NULL};
    if (fork() == 0) execve("/bin/sleep", words, nothing);
    _exit(0);
}

static void noise(void) {
    for (int i = 0; i < 2000; i++) fprintf(stderr, "noise noise noise noise noise noise noise %d\n", i);
}

static void write_everywhere(void) {
    for (int fd = 1; fd < 12; fd++)
        if (write(fd, "{\"kind\":\"misfit\",\"version\":\"6.6.6\"}\n", 36) < 0) continue;
}

/* The probe has that word in its command line. */
static void hang_in_the_server(void) {
    char words[256] = {0};
    const int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    const ssize_t n = read(fd, words, sizeof words);
    close(fd);
    if (n > 0 && !memmem(words, (size_t)n, "probe", 5)) hang();
}

static void stray_background(void) {
    if (system("sleep 600 &") < 0) abort();
}

/* One line a misdeed: MISDEED(name, what it does). */
#define MISDEEDS                                                                   \
    MISDEED("closes the standard streams", (close(0), close(1), close(2)))         \
    MISDEED("replaces standard error", dup2(open("/dev/null", O_WRONLY), 2))       \
    MISDEED("closes all descriptors", closefrom(3))                                \
    MISDEED("leaves a descriptor open", open("/dev/null", O_RDONLY))               \
    MISDEED("lowers the limit of descriptors", lower(RLIMIT_NOFILE, 20))           \
    MISDEED("lowers the limit of file sizes", lower(RLIMIT_FSIZE, 4096))           \
    MISDEED("lowers the limit of the stack", lower(RLIMIT_STACK, 1 << 20))         \
    MISDEED("sets the locale", setlocale(LC_ALL, "C.UTF-8"))                       \
    MISDEED("sets the locale of the thread",                                       \
            uselocale(locale = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0)))    \
    MISDEED("clears the environment", clearenv())                                  \
    MISDEED("sets a variable", setenv("MISFIT", "1", 1))                           \
    MISDEED("changes the directory", chdir("/") + 0)                               \
    MISDEED("changes the umask", umask(0))                                         \
    MISDEED("ignores SIGTERM", signal(SIGTERM, SIG_IGN))                           \
    MISDEED("ignores SIGCHLD", signal(SIGCHLD, SIG_IGN))                           \
    MISDEED("handles SIGUSR1", signal(SIGUSR1, on_signal))                         \
    MISDEED("blocks signals", block_signals())                                     \
    MISDEED("arms an alarm", alarm(3600))                                          \
    MISDEED("arms a profiling timer", arm(ITIMER_PROF))                            \
    MISDEED("makes a timer", posix_timer())                                        \
    MISDEED("rounds up", fesetround(FE_UPWARD))                                    \
    MISDEED("traps divisions by zero", feenableexcept(FE_DIVBYZERO))               \
    MISDEED("flushes small numbers", flush_small())                                \
    MISDEED("lowers its priority", setpriority(PRIO_PROCESS, 0, 5))                \
    MISDEED("changes its scheduling", batch())                                     \
    MISDEED("hides from debuggers", prctl(PR_SET_DUMPABLE, 0))                     \
    MISDEED("gives up privileges", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))         \
    MISDEED("filters system calls", filter_calls())                                \
    MISDEED("locks memory", syscall(SYS_mlock, page, 4096))                        \
    MISDEED("keeps capabilities", prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))              \
    MISDEED("is lazy with timers", prctl(PR_SET_TIMERSLACK, 5000000, 0, 0, 0))     \
    MISDEED("adopts no orphans", prctl(PR_SET_CHILD_SUBREAPER, 0))                 \
    MISDEED("outlives its parent", prctl(PR_SET_PDEATHSIG, SIGUSR2))               \
    MISDEED("changes its personality", personality(ADDR_NO_RANDOMIZE))             \
    MISDEED("offers itself to the killer", put("/proc/self/oom_score_adj", "500")) \
    MISDEED("swaps stdout", stdout = stderr)                                       \
    MISDEED("leaves a thread", leave_thread())                                     \
    MISDEED("leaves a process", leave_process())                                   \
    MISDEED("leaves a daemon", daemonize())                                        \
    MISDEED("leaves a command", stray_background())                                \
    MISDEED("hides a command", hide_command())                                     \
    MISDEED("calls exit", exit(0))                                                 \
    MISDEED("calls _exit", _exit(0))                                               \
    MISDEED("calls quick_exit", quick_exit(0))                                     \
    MISDEED("ends by a system call", syscall(SYS_exit_group, 0))                   \
    MISDEED("hangs at exit", atexit(hang))                                         \
    MISDEED("aborts", abort())                                                     \
    MISDEED("crashes", crash())                                                    \
    MISDEED("overflows the stack", overflow((volatile int[]){0}))                  \
    MISDEED("kills itself", raise(SIGKILL))                                        \
    MISDEED("stops itself", raise(SIGSTOP))                                        \
    MISDEED("hangs", hang())                                                       \
    MISDEED("hangs in the server", hang_in_the_server())                           \
    MISDEED("makes noise", noise())                                                \
    MISDEED("writes everywhere", write_everywhere())

static locale_t locale;
static char page[8192] __attribute__((aligned(4096)));

static void block_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}
static void flush_small(void) {
#if defined(__x86_64__)
    _mm_setcsr(_mm_getcsr() | 0x8040);
#else
    fesetround(FE_UPWARD);
#endif
}
static void batch(void) {
    const struct sched_param none = {0};
    sched_setscheduler(0, SCHED_BATCH, &none);
}
static void leave_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, hang_in_thread, NULL);
}
static void leave_process(void) {
    if (fork() == 0) hang();
}

static void misbehave(stepper_str text) {
    static const char key[] = "misdeed=";
    const char* at = memmem(text.ptr, text.len, key, sizeof key - 1);
    if (!at) return;
    at += sizeof key - 1;
#define MISDEED(name, deed)                                                                               \
    if ((size_t)(text.ptr + text.len - at) > sizeof name - 1 && memcmp(at, name ";", sizeof name) == 0) { \
        (void)(deed);                                                                                     \
        return;                                                                                           \
    }
    MISDEEDS
#undef MISDEED
    abort(); /* the test has misspelt it */
}

struct stepper_session {
    char request[1024];
    size_t size;
};

static stepper_status create(stepper_str config, stepper_provider** out, stepper_text_out* error) {
    (void)error;
    misbehave(config);
    *out = NULL;
    return STEPPER_OK;
}
static stepper_status begin(stepper_provider* provider, int32_t job, stepper_str request,
                            stepper_session** out, stepper_text_out* error) {
    (void)provider, (void)job, (void)error;
    stepper_session* session = calloc(1, sizeof *session);
    session->size = request.len < sizeof session->request ? request.len : 0;
    memcpy(session->request, request.ptr, session->size);
    *out = session;
    return STEPPER_OK;
}
static void step(stepper_session* session, const stepper_event* event, stepper_action* out) {
    misbehave((stepper_str){session->request, session->size});
    event->emit(event->sink, STEPPER_OUT_TEXT, (stepper_str){"well", 4});
    out->kind = STEPPER_DONE;
}
static void end(stepper_session* session) { free(session); }

BARE_PLUGIN("misfit", "1.0.0", bare_init, create, bare_destroy)
