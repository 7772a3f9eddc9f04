#include "core/prompt/commit_report.h"
#include "core/prompt/conversation.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace stepper;
    const auto body = json::parse({reinterpret_cast<const char*>(data), size});
    if (!body) return 0;
    (void)prompt::renderConversation(prompt::conversationIn(*body), prompt::Redaction::On);
    if (const auto commit = prompt::parseCommitInput(*body)) {
        (void)prompt::renderCommitReport(*commit, prompt::Variant::Short, prompt::Redaction::On);
        (void)prompt::fallbackCommitReport(*commit, prompt::Redaction::On);
    }
    return 0;
}
