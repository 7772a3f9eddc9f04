/* stepper/plugin_abi.h - the contract between the Stepper host and a provider plugin.
 *
 * A plugin is a state machine without I/O. The host feeds it events (start, response head, data, end, ...),
 * it answers each with one action (send this HTTP request, wait, done, fail). It opens no socket, sleeps for
 * nothing, reads no clock, retries nothing and never sees an API key: the host does all of that.
 *
 * Pure C11 / C++20, no includes beyond stdint and stddef. Structs only ever grow at their end; nothing is
 * reordered, no enumerator is reused. The major version is part of the entry symbol's name.
 *
 * Threads, as each function's tag says:
 *   [load]        no other call into the image runs; return within 100 ms
 *   [thread-safe] any thread, at any time
 *   [session]     never two at once on one session; the OS thread may change between calls
 *   [exclusive]   every session of that provider has ended
 * No call may block (no sleep, lock wait, file or socket) and nothing may be thrown across.
 */
/* clang-format off */
#ifndef STEPPER_PLUGIN_ABI_H
#define STEPPER_PLUGIN_ABI_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

#define STEPPER_ABI_MAJOR 1u
#define STEPPER_ABI_MINOR 0u
#define STEPPER_ABI_VERSION ((STEPPER_ABI_MAJOR << 16) | STEPPER_ABI_MINOR)
#define STEPPER_ENTRY_SYMBOL "stepper_plugin_entry_v1"

#if defined(__GNUC__)
#define STEPPER_EXPORT __attribute__((visibility("default")))
#else
#define STEPPER_EXPORT
#endif

/* True when the peer's struct is new enough to hold `field`; ask before touching what came after 1.0. */
#define STEPPER_HAS(ptr, type, field) \
    ((ptr)->struct_size >= offsetof(type, field) + sizeof(((type*)0)->field))

/* A borrowed view, not NUL-terminated; {NULL, 0} means absent. Nobody frees across the boundary:
 *   host to plugin: valid until the call returns;
 *   plugin to host: valid until the next call on the same session, or the session's end. */
typedef struct stepper_str {
    const char* ptr;
    size_t len;
} stepper_str;

typedef struct stepper_kv {
    stepper_str key, value;
} stepper_kv;

/* A buffer of the host's for an error text while no object exists that could own one. Write at most `cap`
 * bytes to `ptr`, then the number written to `len`. */
typedef struct stepper_text_out {
    char* ptr;
    size_t cap;
    size_t len;
} stepper_text_out;

/* What went wrong, named by what the host should do about it. The host treats unknown values as INTERNAL. */
typedef int32_t stepper_status;
enum {
    STEPPER_OK = 0,
    STEPPER_E_INVALID_REQUEST = 1,  /* the request itself is wrong                                */
    STEPPER_E_CONTEXT_TOO_LONG = 2, /* too long for this model; a larger one may take it           */
    STEPPER_E_CONTENT_BLOCKED = 3,  /* refused by policy                                           */
    STEPPER_E_AUTH = 4,             /* this credential does not work                               */
    STEPPER_E_MODEL_NOT_FOUND = 5,  /* this provider does not have the model                       */
    STEPPER_E_RATE_LIMITED = 6,     /* slow down for retry_after_ms                                */
    STEPPER_E_QUOTA = 7,            /* used up until the quota resets or is paid for               */
    STEPPER_E_OVERLOADED = 8,       /* busy, asleep, starting: come back later                     */
    STEPPER_E_UPSTREAM = 9,         /* the provider failed (5xx)                                   */
    STEPPER_E_TRANSPORT = 10,       /* name look-up, connect, TLS, reset, truncated                */
    STEPPER_E_TIMEOUT = 11,
    STEPPER_E_BAD_RESPONSE = 12,    /* an answer arrived that cannot be understood                 */
    STEPPER_E_UNSUPPORTED = 13,     /* this plugin or model cannot do what was asked               */
    STEPPER_E_CANCELLED = 14,
    STEPPER_E_CONFIG = 15,          /* only from create                                            */
    STEPPER_E_INTERNAL = 16         /* a bug of the plugin                                         */
};

typedef struct stepper_error {
    uint32_t struct_size;
    int32_t error_class;     /* STEPPER_E_* */
    int32_t http_status;     /* 0 when there was none */
    uint32_t flags;          /* 0 */
    int64_t retry_after_ms;  /* -1 when unknown */
    stepper_str message;     /* fit to show a user: no secret, no raw body; at most 1 KiB is kept */
    stepper_str provider_code;
} stepper_error;

/* How the host cuts a 2xx response body into DATA events. A body of any other status always arrives whole,
 * cut off at 64 KiB. */
enum { STEPPER_BODY_WHOLE = 0, STEPPER_BODY_RAW = 1, STEPPER_BODY_SSE = 2, STEPPER_BODY_LINES = 3 };

/* Where the host puts the provider's key: nowhere, `Authorization: Bearer`, header `auth_name`, or query
 * parameter `auth_name`. Without a key nothing is added. */
enum { STEPPER_AUTH_NONE = 0, STEPPER_AUTH_BEARER = 1, STEPPER_AUTH_HEADER = 2, STEPPER_AUTH_QUERY = 3 };

typedef struct stepper_http_request {
    uint32_t struct_size;
    int32_t body_mode;
    int32_t auth_mode;
    uint32_t flags;  /* 0 */
    stepper_str method, url, auth_name;
    const stepper_kv* headers;
    size_t header_count;
    stepper_str body;
    uint32_t timeout_ms, idle_timeout_ms;  /* wishes; the host may shorten them; 0 = the host's default */
    uint64_t max_response_bytes;           /* 0 = the host's default */
} stepper_http_request;

/* CONTINUE: next event, please. SEND: start this exchange (only when none is open). WAIT: a TIMER event after
 * wait_ms. DONE, FAIL: finished; only `end` may follow. Any other value is a plugin bug. */
enum { STEPPER_CONTINUE = 0, STEPPER_SEND = 1, STEPPER_WAIT = 2, STEPPER_DONE = 3, STEPPER_FAIL = 4 };

/* The host zero-fills it, sets every struct_size and error.retry_after_ms = -1 before each step. */
typedef struct stepper_action {
    uint32_t struct_size;
    int32_t kind;
    uint32_t wait_ms;
    uint32_t flags;                /* 0 */
    stepper_http_request request;  /* for SEND; never grows in v1 */
    stepper_error error;           /* for FAIL; never grows in v1 */
} stepper_action;

enum {
    STEPPER_EV_START = 0,
    STEPPER_EV_HEAD = 1,     /* status and headers; always before the first DATA */
    STEPPER_EV_DATA = 2,     /* the whole body, a chunk, an SSE event or a line, as body_mode asked */
    STEPPER_EV_END = 3,      /* the response is complete */
    STEPPER_EV_IO_ERROR = 4, /* the exchange broke off; nothing more of it follows */
    STEPPER_EV_TIMER = 5,    /* the WAIT is over */
    STEPPER_EV_CANCEL = 6    /* the exchange has been closed; one last SEND is allowed, its response is not read */
};

/* What the plugin hands over through emit while it steps. An unknown kind counts as META.
 *   TEXT, REASONING  a piece of the answer or of the model's thinking, UTF-8; pieces are joined
 *   TOOL_CALL        JSON: one OpenAI tool_calls element, or an array of them
 *   FINISH           stop | length | tool_calls | content_filter | error | other
 *   USAGE            JSON {"prompt_tokens","completion_tokens","total_tokens","reasoning_tokens","cached_tokens"},
 *                    each optional; the last one counts
 *   META             JSON object: "model" and "id" as the provider reported them, "warnings": [text, ...];
 *                    "text_so_far": "reasoning" when the TEXT emitted until now turned out to be thinking (its
 *                    end was marked, its beginning was not), "void" when it belongs to no answer at all */
enum {
    STEPPER_OUT_TEXT = 0,
    STEPPER_OUT_REASONING = 1,
    STEPPER_OUT_TOOL_CALL = 2,
    STEPPER_OUT_FINISH = 3,
    STEPPER_OUT_USAGE = 4,
    STEPPER_OUT_META = 5
};

typedef struct stepper_event {
    uint32_t struct_size;
    int32_t kind;
    int32_t http_status;        /* HEAD */
    int32_t io_error;           /* IO_ERROR: STEPPER_E_TRANSPORT, _TIMEOUT or _BAD_RESPONSE */
    const stepper_kv* headers;  /* HEAD; names in lower case; `date` is always there */
    size_t header_count;
    stepper_str data;           /* DATA: payload; IO_ERROR: what happened */
    stepper_str name;           /* DATA of an SSE body: the event's name */
    uint64_t now_ms;            /* a monotonic clock */
    void* sink;
    void (*emit)(void* sink, int32_t out_kind, stepper_str payload); /* [session] only during this call */
} stepper_event;

enum { STEPPER_LOG_DEBUG = 0, STEPPER_LOG_INFO = 1, STEPPER_LOG_WARN = 2, STEPPER_LOG_ERROR = 3 };

typedef struct stepper_host {
    uint32_t struct_size;
    uint32_t abi_version;
    void* ctx;
    void (*log)(void* ctx, int32_t level, stepper_str message); /* [thread-safe] */
    const void* (*get_extension)(void* ctx, const char* id);    /* [thread-safe] NULL when unknown */
} stepper_host;

typedef struct stepper_provider stepper_provider; /* the plugin's own; may be NULL */
typedef struct stepper_session stepper_session;   /* the plugin's own; may be NULL */

/* PROBE: is the credential good, at no cost. WARMUP: wake what sleeps. MODELS: list models as META
 * {"models":[...]}. A plugin answers a job it does not know with STEPPER_E_UNSUPPORTED. */
enum { STEPPER_JOB_GENERATE = 0, STEPPER_JOB_PROBE = 1, STEPPER_JOB_WARMUP = 2, STEPPER_JOB_MODELS = 3 };

#define STEPPER_CAP_STREAM (1ull << 0)
#define STEPPER_CAP_TOOLS (1ull << 1)
#define STEPPER_CAP_VISION (1ull << 2)
#define STEPPER_CAP_JSON_SCHEMA (1ull << 3)
#define STEPPER_CAP_EMBED (1ull << 4)
#define STEPPER_CAP_PROBE (1ull << 32)
#define STEPPER_CAP_WARMUP (1ull << 33)
#define STEPPER_CAP_UNLOADABLE (1ull << 63) /* no thread, thread_local destructor, atexit or unique symbol */

typedef struct stepper_plugin {
    uint32_t struct_size;
    uint32_t abi_version;   /* what it was compiled against */
    uint32_t min_host_abi;  /* the oldest host it works with */
    uint32_t flags;         /* 0 */
    stepper_str kind;           /* [a-z0-9-]{1,64}: what `plugin:` in providers.yaml names */
    stepper_str version;        /* semantic version of the plugin */
    stepper_str config_schema;  /* JSON Schema for config_json; {} accepts anything */
    uint64_t capabilities;

    stepper_status (*init)(const stepper_host* host); /* [load] once per image */
    void (*deinit)(void);                             /* [load] optional */
    /* [thread-safe] config_json: the provider's block of providers.yaml as JSON {"name","base_url","model",
     * "options",...}, never a secret. */
    stepper_status (*create)(stepper_str config_json, stepper_provider** out, stepper_text_out* error);
    void (*destroy)(stepper_provider* provider); /* [exclusive] */
    /* [thread-safe] request_json: shaped as an OpenAI chat completions request; what is absent is the
     * provider's default. One session is one attempt; it may take several HTTP requests. */
    stepper_status (*begin)(stepper_provider* provider, int32_t job, stepper_str request_json,
                            stepper_session** out, stepper_text_out* error);
    void (*step)(stepper_session* session, const stepper_event* event, stepper_action* out); /* [session] */
    void (*end)(stepper_session* session);        /* [session] */
    const void* (*get_extension)(const char* id); /* [thread-safe] optional */
} stepper_plugin;

/* For the plugin's get_extension: a const stepper_str*, transcripts of the plugin as one text. The host runs them
 * before it takes the plugin; they live as long as the image. */
#define STEPPER_EXT_TRANSCRIPTS "stepper.transcripts/1"

typedef const stepper_plugin* (*stepper_entry_fn)(void); /* [load] */
STEPPER_EXPORT const stepper_plugin* stepper_plugin_entry_v1(void);

#ifdef __cplusplus
}
#endif
#endif /* STEPPER_PLUGIN_ABI_H */
