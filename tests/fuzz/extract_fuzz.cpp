#include "core/output/commit_report.h"
#include "core/output/extract.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace stepper;
    const auto value = output::extract({reinterpret_cast<const char*>(data), size});
    if (!value) return 0;
    // What was found is JSON, whole.
    if (!json::parse(json::dump(*value), {.max_depth = 1000})) __builtin_trap();
    if (const auto report = output::checkedCommitReport(*value);
        report && !output::checkedCommitReport(*report))
        __builtin_trap();
    return 0;
}
