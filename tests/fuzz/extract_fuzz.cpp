#include "core/output/extract.h"
#include "core/output/lenient.h"
#include "core/report/answer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace stepper;
    Effort effort(Effort::kUnbounded);
    for (const bool finished : {false, true})
        for (const auto& candidate :
             output::candidates({reinterpret_cast<const char*>(data), size}, finished, effort)) {
            if (candidate.json.empty()) continue;
            const auto value = json::parse(candidate.json, {.max_nodes = size + 1, .any_magnitude = true});
            // What was found is JSON, whole, and reading it again changes nothing; the text may be no UTF-8.
            if (!value && value.error().message.find("Invalid encoding") == std::string::npos &&
                value.error().message.find("surrogate") == std::string::npos)
                __builtin_trap();
            if (const char c = candidate.json.front(); c == '{' || c == '[') {
                const auto again = output::readLeniently(candidate.json, 0, finished, effort);
                if (again.state != output::Reading::State::Complete || again.repaired ||
                    again.json != candidate.json)
                    __builtin_trap();
            }
            if (!value) continue;
            if (const auto checked = report::check(*value); checked && !report::check(*checked))
                __builtin_trap();
        }
    return 0;
}
