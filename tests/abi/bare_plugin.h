/* What the tests' plugins against the bare ABI have in common: the table, the entry, and functions for who
 * has nothing to do in them. C11 and C++. */
#ifndef STEPPER_TESTS_BARE_PLUGIN_H
#define STEPPER_TESTS_BARE_PLUGIN_H
#include "stepper/plugin_abi.h"

static inline stepper_status bare_init(const stepper_host* host) {
    (void)host;
    return STEPPER_OK;
}
static inline stepper_status bare_create(stepper_str config, stepper_provider** out,
                                         stepper_text_out* error) {
    (void)config, (void)error;
    *out = NULL;
    return STEPPER_OK;
}
static inline void bare_destroy(stepper_provider* provider) { (void)provider; }

#define BARE_TEXT(literal) \
    { (literal), sizeof(literal) - 1 }

/* The initialiser of a stepper_plugin; `begin`, `step` and `end` are the file's own. */
#define BARE_TABLE(kind, version, init, create, destroy)                                                \
    {                                                                                                   \
        sizeof(stepper_plugin), STEPPER_ABI_VERSION, STEPPER_ABI_MAJOR << 16, 0, BARE_TEXT(kind),       \
            BARE_TEXT(version), BARE_TEXT("{}"), 0, init, NULL, create, destroy, begin, step, end, NULL \
    }

/* The whole plugin. At the end of its file. */
#define BARE_PLUGIN(kind, version, init, create, destroy)                                       \
    static const stepper_plugin bare_plugin = BARE_TABLE(kind, version, init, create, destroy); \
    STEPPER_EXPORT const stepper_plugin* stepper_plugin_entry_v1(void) { return &bare_plugin; }

#endif
