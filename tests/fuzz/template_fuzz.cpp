#include "core/prompt/conversation.h"
#include "core/report/fallback.h"
#include "core/report/prompt.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace stepper;
    const auto body = json::parse({reinterpret_cast<const char*>(data), size});
    if (!body) return 0;
    (void)prompt::renderConversation(prompt::conversationIn(*body), prompt::Redaction::On);
    if (const auto commit = report::parseCommit(*body)) {
        (void)report::render(*commit, report::Variant::Short, prompt::Redaction::On);
        (void)report::fallback(*commit, prompt::Redaction::On);
    }
    return 0;
}
