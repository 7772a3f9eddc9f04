// One plugin in many builds, for what a running host must live through. Sends one request to base_url and
// answers with ANSWER; with FLAW it misbehaves, at once or only when the prompt says so, as the dry run's
// never does.
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <string>

#include "../abi/bare_plugin.h"

#ifndef ANSWER
#define ANSWER "A"
#endif
#ifndef KIND
#define KIND "variant"
#endif
#ifndef VERSION
#define VERSION "1.0.0"
#endif

enum Flaw {
    None,
    AbortsInStep,
    AbortsWhenUsed,
    ThrowsInStep,
    WrongLength,
    NeverEnds,
    BreaksWhenUsed,
    SlowWhenUsed,
    HangsInStep,
    RefusesConfig,
    LeaksThread,
    CrashesEveryThird,
    HangsWhenUsed
};
#ifndef FLAW
#define FLAW None
#endif
#if FLAW_NUMBER == 10
#include <pthread.h>
#include <unistd.h>
#endif

namespace {

constexpr int kFlaw = FLAW;

struct Session {
    std::string url, request, answer;
    bool used = false;  // by somebody who means it
};

stepper_str str(const std::string& s) { return {s.data(), s.size()}; }

std::string urlIn(std::string_view config) {
    const size_t key = config.find("\"base_url\":\"");
    if (key == std::string_view::npos) return "http://127.0.0.1:9";
    const size_t start = key + 12;
    return std::string(config.substr(start, config.find('"', start) - start)) + "/chat/completions";
}

#if FLAW_NUMBER == 10
void* sleeper(void*) {
    ::sleep(30);
    return nullptr;
}
#endif

stepper_status create(stepper_str config, stepper_provider** out, stepper_text_out* error) {
    if (kFlaw == RefusesConfig) {
        const char why[] = "this build takes no configuration";
        error->len = sizeof why - 1;
        std::memcpy(error->ptr, why, error->len);
        return STEPPER_E_CONFIG;
    }
#if FLAW_NUMBER == 10
    pthread_t thread;
    ::pthread_create(&thread, nullptr, sleeper, nullptr);
#endif
    *out = reinterpret_cast<stepper_provider*>(new std::string(urlIn({config.ptr, config.len})));
    return STEPPER_OK;
}

void destroy(stepper_provider* p) { delete reinterpret_cast<std::string*>(p); }

stepper_status begin(stepper_provider* p, int32_t job, stepper_str request, stepper_session** out,
                     stepper_text_out*) {
    if (job != STEPPER_JOB_GENERATE) return STEPPER_E_UNSUPPORTED;
    auto* session = new Session{*reinterpret_cast<std::string*>(p), {request.ptr, request.len}, ANSWER};
    session->used = session->request.find("in earnest") != std::string::npos;
    *out = reinterpret_cast<stepper_session*>(session);
    return STEPPER_OK;
}

void computeFor(long ms) {
    timespec start{}, now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    do {
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1'000'000 < ms);
}

void misbehave(const Session& s, stepper_action* out) {
    static int calls = 0;
    if (kFlaw == AbortsInStep || (kFlaw == AbortsWhenUsed && s.used)) std::abort();
    if (kFlaw == CrashesEveryThird && s.used && ++calls % 3 == 0) std::abort();
    if (kFlaw == ThrowsInStep) throw std::runtime_error("across the boundary");
    if (kFlaw == WrongLength) out->request.url.len = size_t(-1);
    if (kFlaw == BreaksWhenUsed && s.used) out->kind = 77;
    if (kFlaw == SlowWhenUsed && s.used) computeFor(150);
    while (kFlaw == HangsInStep || (kFlaw == HangsWhenUsed && s.used)) computeFor(10);
}

void step(stepper_session* session, const stepper_event* event, stepper_action* out) {
    auto& s = *reinterpret_cast<Session*>(session);
    switch (event->kind) {
        case STEPPER_EV_START:
            out->kind = STEPPER_SEND;
            out->request.method = {"POST", 4};
            out->request.url = str(s.url);
            out->request.body = str(s.request);
            out->request.auth_mode = STEPPER_AUTH_BEARER;
            misbehave(s, out);
            return;
        case STEPPER_EV_HEAD:
            s.used = s.used && event->http_status == 200;
            out->kind = event->http_status == 200 ? STEPPER_CONTINUE : STEPPER_FAIL;
            out->error.error_class = event->http_status == 401 ? STEPPER_E_AUTH : STEPPER_E_UPSTREAM;
            return;
        case STEPPER_EV_DATA: out->kind = STEPPER_CONTINUE; return;
        case STEPPER_EV_TIMER:
        case STEPPER_EV_END:
            if (kFlaw == NeverEnds) {
                out->kind = STEPPER_WAIT;
                out->wait_ms = 1;
                return;
            }
            event->emit(event->sink, STEPPER_OUT_TEXT, str(s.answer));
            event->emit(event->sink, STEPPER_OUT_FINISH, {"stop", 4});
            out->kind = STEPPER_DONE;
            return;
        default:
            out->kind = STEPPER_FAIL;
            out->error.error_class =
                event->kind == STEPPER_EV_IO_ERROR ? event->io_error : STEPPER_E_CANCELLED;
            return;
    }
}

void end(stepper_session* session) { delete reinterpret_cast<Session*>(session); }

}  // namespace

BARE_PLUGIN(KIND, VERSION, bare_init, create, destroy)
