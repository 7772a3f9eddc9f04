/* Plugins that must be refused. BAD names the flaw; built once for each. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bare_plugin.h"

#define BAD_CRASH 1    /* dies in its constructor */
#define BAD_HANG 2     /* never comes back from it */
#define BAD_MAJOR 3    /* speaks another major version */
#define BAD_NEWER 4    /* needs a newer host */
#define BAD_NULL 5     /* entry returns nothing */
#define BAD_KIND 6     /* unusable kind */
#define BAD_NO_STEP 7  /* a required function is missing */
#define BAD_SCHEMA 8   /* config schema is no JSON */
#define BAD_INIT 9     /* init refuses */
#define BAD_LENGTH 10  /* a view with a length and no pointer */
#define BAD_ABORT 11   /* dies in init */
#define BAD_SHORT 12   /* its table is shorter than ABI 1.0's */
#define BAD_ENTRY 13   /* no entry symbol at all */
#define BAD_EXPORTS 14 /* exports more than its entry */
#define BAD_TLS 15     /* thread-locals in the static block */
#define BAD_STACK 16   /* linked to want an executable stack */

#if BAD == BAD_CRASH
__attribute__((constructor)) static void crash(void) { raise(SIGSEGV); }
#elif BAD == BAD_HANG
__attribute__((constructor)) static void hang(void) {
    for (;;) pause();
}
#endif

#if BAD == BAD_EXPORTS
int extra_a;
int extra_b(void);
int extra_b(void) { return extra_a; }
int extra_c(void);
int extra_c(void) { return extra_a; }
int extra_d(void);
int extra_d(void) { return extra_a; }
#elif BAD == BAD_TLS
static _Thread_local volatile int calls __attribute__((tls_model("initial-exec")));
#endif

static stepper_status init(const stepper_host* host) {
    (void)host;
#if BAD == BAD_TLS
    ++calls;
#endif
#if BAD == BAD_ABORT
    abort();
#endif
    return BAD == BAD_INIT ? STEPPER_E_CONFIG : STEPPER_OK;
}
static stepper_status begin(stepper_provider* provider, int32_t job, stepper_str request,
                            stepper_session** out, stepper_text_out* error) {
    (void)provider, (void)job, (void)request, (void)error;
    *out = NULL;
    return STEPPER_OK;
}
static void step(stepper_session* session, const stepper_event* event, stepper_action* out) {
    (void)session, (void)event;
    out->kind = STEPPER_DONE;
}
static void end(stepper_session* session) { (void)session; }

static stepper_plugin plugin = BARE_TABLE("bad", "1.0.0", init, bare_create, bare_destroy);

#if BAD == BAD_ENTRY
STEPPER_EXPORT const stepper_plugin* some_other_entry(void);
STEPPER_EXPORT const stepper_plugin* some_other_entry(void) {
#else
STEPPER_EXPORT const stepper_plugin* stepper_plugin_entry_v1(void) {
#endif
    if (BAD == BAD_NULL) return NULL;
    if (BAD == BAD_MAJOR) plugin.abi_version = 2u << 16;
    if (BAD == BAD_NEWER) plugin.min_host_abi = STEPPER_ABI_VERSION + 1;
    if (BAD == BAD_KIND) plugin.kind.len = 0;
    if (BAD == BAD_NO_STEP) plugin.step = NULL;
    if (BAD == BAD_SCHEMA) plugin.config_schema.len = 1;
    if (BAD == BAD_LENGTH) plugin.version.ptr = NULL;
    if (BAD == BAD_SHORT) plugin.struct_size = 64;
    return &plugin;
}
