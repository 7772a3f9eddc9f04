/* A plugin of ABI 1.0, with the header as it was then. Neither this file nor that header ever changes: a host that
 * does not load and run it has broken its promise. Uses every part of the ABI a plugin may rely on. */
#include <stdlib.h>
#include <string.h>

#include "plugin_abi.h"

#define TEXT(literal) \
    { literal, sizeof(literal) - 1 }

struct stepper_provider {
    char base_url[512];
};

struct stepper_session {
    const stepper_provider* provider;
    char* request;
    size_t request_len;
    char url[600];
    int32_t status;
    int waited;
};

static const stepper_host* the_host;

static stepper_status init(const stepper_host* host) {
    static const stepper_str hello = TEXT("forever 1.0.0 starts");
    if (!STEPPER_HAS(host, stepper_host, get_extension)) return STEPPER_E_INTERNAL;
    the_host = host;
    host->log(host->ctx, STEPPER_LOG_DEBUG, hello);
    if (host->get_extension(host->ctx, "forever.unknown/1")) return STEPPER_E_INTERNAL;
    return STEPPER_OK;
}

static void deinit(void) { the_host = NULL; }

static stepper_status create(stepper_str config, stepper_provider** out, stepper_text_out* error) {
    static const char key[] = "\"base_url\":\"";
    stepper_provider* provider = calloc(1, sizeof *provider);
    size_t i, n = 0;
    if (!provider) return STEPPER_E_INTERNAL;
    for (i = 0; i + sizeof key - 1 < config.len; ++i)
        if (memcmp(config.ptr + i, key, sizeof key - 1) == 0) break;
    for (i += sizeof key - 1; i < config.len && config.ptr[i] != '"' && n + 1 < sizeof provider->base_url; ++i)
        provider->base_url[n++] = config.ptr[i];
    if (n == 0) {
        static const char why[] = "base_url is missing";
        error->len = sizeof why - 1 < error->cap ? sizeof why - 1 : error->cap;
        memcpy(error->ptr, why, error->len);
        free(provider);
        return STEPPER_E_CONFIG;
    }
    *out = provider;
    return STEPPER_OK;
}

static void destroy(stepper_provider* provider) { free(provider); }

static stepper_status begin(stepper_provider* provider, int32_t job, stepper_str request, stepper_session** out,
                            stepper_text_out* error) {
    stepper_session* session;
    (void)error;
    if (job != STEPPER_JOB_GENERATE) return STEPPER_E_UNSUPPORTED;
    session = calloc(1, sizeof *session);
    if (!session) return STEPPER_E_INTERNAL;
    session->request = malloc(request.len);
    if (!session->request) {
        free(session);
        return STEPPER_E_INTERNAL;
    }
    session->provider = provider;
    session->request_len = request.len;
    memcpy(session->request, request.ptr, request.len);
    *out = session;
    return STEPPER_OK;
}

static void fail(stepper_action* out, int32_t error_class, int32_t status, int64_t retry_after_ms) {
    static const stepper_str message = TEXT("the provider failed"), code = TEXT("forever");
    out->kind = STEPPER_FAIL;
    out->error.error_class = error_class;
    out->error.http_status = status;
    out->error.retry_after_ms = retry_after_ms;
    out->error.message = message;
    out->error.provider_code = code;
}

static int is_ascii(stepper_str text) {
    size_t i;
    for (i = 0; i < text.len; ++i)
        if ((unsigned char)text.ptr[i] >= 0x80) return 0;
    return 1;
}

static void send(stepper_session* session, stepper_action* out) {
    static const stepper_kv headers[] = {{TEXT("content-type"), TEXT("application/json")}};
    static const stepper_str post = TEXT("POST");
    strcpy(session->url, session->provider->base_url);
    strcat(session->url, "/forever");
    out->kind = STEPPER_SEND;
    out->request.method = post;
    out->request.url.ptr = session->url;
    out->request.url.len = strlen(session->url);
    out->request.headers = headers;
    out->request.header_count = 1;
    out->request.body.ptr = session->request;
    out->request.body.len = session->request_len;
    out->request.body_mode = STEPPER_BODY_LINES;
    out->request.auth_mode = STEPPER_AUTH_BEARER;
    out->request.timeout_ms = 30000;
    out->request.max_response_bytes = 1 << 20;
}

static void step(stepper_session* session, const stepper_event* event, stepper_action* out) {
    static const stepper_str stop = TEXT("stop"), usage = TEXT("{\"total_tokens\":3}"), meta = TEXT("{\"model\":\"forever-1\"}");
    switch (event->kind) {
        case STEPPER_EV_START:
            out->kind = STEPPER_WAIT;
            out->wait_ms = 1;
            return;
        case STEPPER_EV_TIMER:
            session->waited = 1;
            send(session, out);
            return;
        case STEPPER_EV_HEAD:
            session->status = event->http_status;
            out->kind = STEPPER_CONTINUE;
            return;
        case STEPPER_EV_DATA:
            if (session->status == 200 && !is_ascii(event->data)) {
                fail(out, STEPPER_E_BAD_RESPONSE, session->status, -1);
                return;
            }
            if (session->status == 200) event->emit(event->sink, STEPPER_OUT_TEXT, event->data);
            out->kind = STEPPER_CONTINUE;
            return;
        case STEPPER_EV_END:
            if (session->status == 429) {
                fail(out, STEPPER_E_RATE_LIMITED, session->status, 7000);
            } else if (session->status != 200) {
                fail(out, STEPPER_E_UPSTREAM, session->status, -1);
            } else {
                event->emit(event->sink, STEPPER_OUT_USAGE, usage);
                event->emit(event->sink, STEPPER_OUT_META, meta);
                event->emit(event->sink, STEPPER_OUT_FINISH, stop);
                out->kind = STEPPER_DONE;
            }
            return;
        case STEPPER_EV_IO_ERROR: fail(out, event->io_error, 0, -1); return;
        default: fail(out, STEPPER_E_CANCELLED, 0, -1); return;
    }
}

static void end(stepper_session* session) {
    free(session->request);
    free(session);
}

static const void* get_extension(const char* id) {
    static const stepper_str transcripts = TEXT(
        "config {\"base_url\":\"https://api.example\"}\n"
        "case a line\n"
        "begin generate {\"model\":\"m\"}\n"
        "expect wait 1\n"
        "timer\n"
        "expect send POST https://api.example/forever body=lines auth=bearer\n"
        "head 200\n"
        "body one\n"
        "expect text \"one\"\n"
        "expect finish stop\n"
        "expect usage {\"total_tokens\":3}\n"
        "expect done\n");
    return strcmp(id, STEPPER_EXT_TRANSCRIPTS) == 0 ? &transcripts : NULL;
}

static const stepper_plugin plugin = {sizeof plugin,
                                      STEPPER_ABI_VERSION,
                                      STEPPER_ABI_VERSION,
                                      0,
                                      TEXT("forever"),
                                      TEXT("1.0.0"),
                                      TEXT("{\"type\":\"object\"}"),
                                      STEPPER_CAP_STREAM,
                                      init,
                                      deinit,
                                      create,
                                      destroy,
                                      begin,
                                      step,
                                      end,
                                      get_extension};

STEPPER_EXPORT const stepper_plugin* stepper_plugin_entry_v1(void) { return &plugin; }
