#include "core/prompt/commit_report.h"
#include "core/prompt/template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace stepper;
    const auto body = json::parse({reinterpret_cast<const char*>(data), size});
    if (!body) return 0;
    const prompt::PromptInput input{json::find(*body, "prompt"), json::find(*body, "payload"),
                                    json::find(*body, "metadata")};
    if (prompt::checkPrompt(input.prompt)) (void)prompt::renderPrompt(input, prompt::Redaction::On);
    if (const auto commit = prompt::parseCommitInput(*body)) {
        (void)prompt::renderCommitReport(*commit, prompt::Variant::Short, prompt::Redaction::On);
        (void)prompt::fallbackCommitReport(*commit, prompt::Redaction::On);
    }
    return 0;
}
