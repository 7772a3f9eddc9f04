/* The sizes of ABI 1.0 on LP64. They may not change: plugins built against 1.0 must load for ever. Compiled
 * as C11 and as C++20. */
#include "stepper/plugin_abi.h"

#ifdef __cplusplus
#define CHECK(condition) static_assert(condition, #condition)
#else
#define CHECK(condition) _Static_assert(condition, #condition)
#endif

CHECK(sizeof(stepper_str) == 16);
CHECK(sizeof(stepper_kv) == 32);
CHECK(sizeof(stepper_text_out) == 24);
CHECK(sizeof(stepper_error) == 56);
CHECK(sizeof(stepper_http_request) == 112);
CHECK(sizeof(stepper_action) == 184);
CHECK(sizeof(stepper_event) == 88);
CHECK(sizeof(stepper_host) == 32);
CHECK(sizeof(stepper_plugin) == 136);
CHECK(offsetof(stepper_error, retry_after_ms) == 16);
CHECK(offsetof(stepper_error, message) == 24);
CHECK(offsetof(stepper_http_request, method) == 16);
CHECK(offsetof(stepper_http_request, headers) == 64);
CHECK(offsetof(stepper_http_request, max_response_bytes) == 104);
CHECK(offsetof(stepper_action, request) == 16);
CHECK(offsetof(stepper_action, error) == 128);
CHECK(offsetof(stepper_event, headers) == 16);
CHECK(offsetof(stepper_event, data) == 32);
CHECK(offsetof(stepper_event, emit) == 80);
CHECK(offsetof(stepper_host, log) == 16);
CHECK(offsetof(stepper_plugin, kind) == 16);
CHECK(offsetof(stepper_plugin, capabilities) == 64);
CHECK(offsetof(stepper_plugin, init) == 72);
CHECK(offsetof(stepper_plugin, get_extension) == 128);
