/* The smallest useful plugin in C: answers with the request's own JSON, sends nothing.
 *   cc -std=c11 -shared -fPIC -I ../../include echo.c -Wl,--version-script=../../plugin.map -o echo-c.so */
#include <stdlib.h>
#include <string.h>

#include "stepper/plugin_abi.h"

#define TEXT(literal) \
    { literal, sizeof(literal) - 1 }

struct stepper_session {
    size_t len;
    char request[];
};

static stepper_status init(const stepper_host* host) {
    (void)host;
    return STEPPER_OK;
}

static stepper_status create(stepper_str config, stepper_provider** out, stepper_text_out* error) {
    (void)config;
    (void)error;
    *out = NULL; /* nothing to remember */
    return STEPPER_OK;
}

static void destroy(stepper_provider* provider) { (void)provider; }

static stepper_status begin(stepper_provider* provider, int32_t job, stepper_str request,
                            stepper_session** out, stepper_text_out* error) {
    stepper_session* session;
    (void)provider;
    (void)error;
    if (job != STEPPER_JOB_GENERATE) return STEPPER_E_UNSUPPORTED;
    session = malloc(sizeof *session + request.len);
    if (!session) return STEPPER_E_INTERNAL;
    session->len = request.len;
    memcpy(session->request, request.ptr, request.len);
    *out = session;
    return STEPPER_OK;
}

static void step(stepper_session* session, const stepper_event* event, stepper_action* out) {
    static const stepper_str stop = TEXT("stop");
    if (event->kind == STEPPER_EV_START) {
        stepper_str text;
        text.ptr = session->request;
        text.len = session->len;
        event->emit(event->sink, STEPPER_OUT_TEXT, text);
        event->emit(event->sink, STEPPER_OUT_FINISH, stop);
    }
    out->kind = STEPPER_DONE;
}

static void end(stepper_session* session) { free(session); }

/* Its own test, which Stepper runs before it takes the plugin. */
static const void* get_extension(const char* id) {
    static const stepper_str transcripts = TEXT(
        "case it answers with the request\n"
        "begin generate {\"messages\":[]}\n"
        "expect text \"{\\\"messages\\\":[]}\"\n"
        "expect done\n");
    return strcmp(id, STEPPER_EXT_TRANSCRIPTS) == 0 ? &transcripts : NULL;
}

static const stepper_plugin plugin = {
    sizeof plugin,
    STEPPER_ABI_VERSION,
    STEPPER_ABI_MAJOR << 16,
    0,
    TEXT("echo-c"),
    TEXT("1.0.0"),
    TEXT("{}"),
    STEPPER_CAP_UNLOADABLE,
    init,
    NULL,
    create,
    destroy,
    begin,
    step,
    end,
    get_extension,
};

STEPPER_EXPORT const stepper_plugin* stepper_plugin_entry_v1(void) { return &plugin; }
